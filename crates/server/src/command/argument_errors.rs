//! The errors of all arguments of a command, reported as one.

use super::CommandError;

/// Collects the errors of arguments, so that one error names everything that is wrong.
#[derive(Debug, Default)]
pub(super) struct ArgumentErrors {
    /// The different texts, in order.
    texts: Vec<String>,
    /// Whether an error is more than an invalid command line.
    has_failure: bool,
}

impl ArgumentErrors {
    /// Adds the error of an argument, if it has one.
    pub(super) fn with<T>(mut self, checked: &Result<T, CommandError>) -> Self {
        if let Err(error) = checked {
            let text = error.to_string();
            self.has_failure |= !error.is_usage();
            if !self.texts.contains(&text) {
                self.texts.push(text);
            }
        }
        self
    }

    /// Adds the errors of several arguments.
    pub(super) fn with_each<T>(self, checked: impl IntoIterator<Item = Result<T, CommandError>>) -> Self {
        checked.into_iter().fold(self, |errors, each| errors.with(&each))
    }

    /// Fails with all errors. It is a usage error if each of them is one.
    pub(super) fn report(self) -> Result<(), CommandError> {
        let text = self.texts.join("; ");
        match self.texts.is_empty() {
            true => Ok(()),
            false if self.has_failure => Err(CommandError::failed(text)),
            false => Err(CommandError::usage(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_error_names_all_that_is_wrong() {
        let [wrong, missing] =
            [CommandError::usage("a is wrong"), CommandError::failed("there is no b")].map(Err::<(), _>);
        assert!(ArgumentErrors::default().with(&Ok::<_, CommandError>(1)).report().is_ok());
        let usage = ArgumentErrors::default().with(&wrong).with(&wrong).report().unwrap_err();
        assert_eq!((usage.to_string().as_str(), usage.is_usage()), ("a is wrong", true));
        let both = ArgumentErrors::default().with_each([wrong, Ok(()), missing]).report().unwrap_err();
        assert_eq!((both.to_string().as_str(), both.is_usage()), ("a is wrong; there is no b", false));
    }
}
