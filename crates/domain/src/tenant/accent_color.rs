//! The color that the pages of a tenant use for links, buttons and what is selected.

use std::fmt;

/// The lowest contrast of a text with its background (WCAG 2.2, 1.4.3). It is higher than that of
/// controls (1.4.11).
const MIN_CONTRAST: f64 = 4.5;

/// The relative luminance of the darkest background that the pages have in their light color
/// scheme: that of a selected row.
const DARKEST_BACKGROUND: f64 = 0.836;

/// A color in sRGB that is dark enough for texts in the light color scheme of the pages, and for
/// white texts on it. For their dark color scheme, the pages derive a lighter shade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccentColor([u8; 3]);

/// The text is no accent color.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum InvalidAccentColor {
    /// The text is no color.
    #[error("must be a color of sRGB such as #0b6b5e")]
    Form,
    /// The color is too light.
    #[error("must be darker: its contrast with the pages is {0}:1, and texts require 4.5:1")]
    Contrast(f64),
}

impl AccentColor {
    /// Parses a color such as `#0b6b5e`, in lowercase or uppercase letters.
    pub fn parse(text: &str) -> Result<Self, InvalidAccentColor> {
        let is_hexadecimal = |digits: &&str| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let digits = text.strip_prefix('#').filter(is_hexadecimal).ok_or(InvalidAccentColor::Form)?;
        let number = u32::from_str_radix(digits, 16).map_err(|_| InvalidAccentColor::Form)?;
        let [_, red, green, blue] = number.to_be_bytes();
        let color = Self([red, green, blue]);
        let contrast = (DARKEST_BACKGROUND + 0.05) / (color.relative_luminance() + 0.05);
        // rounded down, so that no contrast that is refused is shown as sufficient
        if contrast < MIN_CONTRAST {
            // of two colors, the lighter one is divided by the darker one
            Err(InvalidAccentColor::Contrast((contrast.max(1.0 / contrast) * 10.0).floor() / 10.0))
        } else {
            Ok(color)
        }
    }

    /// The relative luminance (WCAG 2.2): 0 is that of black, 1 that of white.
    fn relative_luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for AccentColor {
    /// The color in lowercase letters.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(formatter, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_is_parsed_and_shown_in_lowercase() {
        for (text, shown) in [("#0b6b5e", "#0b6b5e"), ("#000000", "#000000"), ("#7C2D12", "#7c2d12")] {
            assert_eq!(AccentColor::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "#", "0b6b5e", "#0b6b5", "#0b6b5e0", "#0b6b5g", "#+b6b5e", "#é6b5e", "red", "rgb(0, 0, 0)"] {
            assert_eq!(AccentColor::parse(text), Err(InvalidAccentColor::Form), "{text}");
        }
    }

    #[test]
    fn color_without_enough_contrast_is_too_light() {
        // the contrast of #757575 with white is 4.6, as in every implementation of WCAG
        assert!((1.05 / (AccentColor([0x75; 3]).relative_luminance() + 0.05) - 4.6).abs() < 0.05);
        let contrast_of = |text: &str| match AccentColor::parse(text) {
            Err(InvalidAccentColor::Contrast(contrast)) => contrast,
            other => panic!("{text}: {other:?}"),
        };
        let white = contrast_of("#ffffff");
        assert!((1.0..1.3).contains(&white), "a contrast is at least 1: {white}");
        assert!((contrast_of("#757575") - 3.8).abs() < 0.01);
        let message = AccentColor::parse("#1a73e8").unwrap_err().to_string();
        assert_eq!(message, "must be darker: its contrast with the pages is 3.8:1, and texts require 4.5:1");
        // the lightest gray, and the next one
        let gray = |channel: u8| format!("#{channel:02x}{channel:02x}{channel:02x}");
        let lightest = (0..=255).rev().find(|channel| AccentColor::parse(&gray(*channel)).is_ok()).unwrap();
        assert_eq!((gray(lightest).as_str(), contrast_of(&gray(lightest + 1))), ("#6a6a6a", 4.4));
    }
}
