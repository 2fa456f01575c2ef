//! What the document says of one call: what it is for, which right it asks, what it takes and answers.
//!
//! The answers that follow from the kind of a call (a body that cannot be read, a token that is refused, an id that nothing has) are
//! added here, once; an entry names only what is its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder, SecurityRequirement};
use utoipa::{PartialSchema, ToSchema};

use super::problem::{PROBLEM, header, problem, refusal};
use super::schema::{id_schema, maybe_text_schema, text_schema};

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Anybody who is logged in.
    Nothing,
    /// Whoever holds the right of this name, or `admin`.
    Right(&'static str),
    /// One's own, and another's by the right of this name.
    RightToOthers(&'static str),
}

/// What the document says of a call.
pub(crate) struct Entry {
    tag: &'static str,
    summary: &'static str,
    more: Vec<String>,
    asks: Asks,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    answers: BTreeMap<u16, ResponseBuilder>,
    refuses: Vec<u16>,
    has_query: bool,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Entry {
    /// A call among those of this group, in a few words.
    pub(crate) fn of(tag: &'static str, summary: &'static str) -> Self {
        Self {
            tag,
            summary,
            more: Vec::new(),
            asks: Asks::Nothing,
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            refuses: Vec::new(),
            has_query: false,
            schemas: Vec::new(),
        }
    }

    /// More about it, in sentences.
    pub(crate) fn more(mut self, sentences: impl Into<String>) -> Self {
        self.more.push(sentences.into());
        self
    }

    /// Who may make it.
    pub(crate) fn asks(self, asks: Asks) -> Self {
        Self { asks, ..self }
    }

    /// It takes a body of JSON.
    pub(crate) fn takes<B: ToSchema>(self, example: Value) -> Self {
        self.body::<B>("application/json", example).refuses_other_members()
    }

    /// It takes a body of JSON, and passes over members that it does not know.
    pub(crate) fn takes_of<B: ToSchema>(self, example: Value) -> Self {
        self.body::<B>("application/json", example)
    }

    /// It takes a merge patch, and the version that the patch was made for.
    pub(crate) fn patches<B: ToSchema>(self, example: Value) -> Self {
        self.body::<B>("application/merge-patch+json", example).refuses_other_members().holds_to_a_version()
    }

    /// The body may be left out.
    pub(crate) fn or_nothing(mut self) -> Self {
        if let Some(body) = &mut self.body {
            body.required = Some(Required::False);
        }
        self
    }

    /// The schema of the body is the last that was added.
    fn refuses_other_members(mut self) -> Self {
        if let Some((_, RefOr::T(Schema::Object(sent)))) = self.schemas.last_mut() {
            sent.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        self
    }

    fn body<B: ToSchema>(mut self, content_type: &str, example: Value) -> Self {
        let content = ContentBuilder::new().schema(Some(self.known::<B>())).example(Some(example)).build();
        self.body =
            Some(RequestBodyBuilder::new().required(Some(Required::True)).content(content_type, content).build());
        self
    }

    /// It names in `If-Match` the version that it was made for.
    pub(crate) fn holds_to_a_version(mut self) -> Self {
        let about = "The `ETag` that was read, also weakened or one of several; `*` for whatever there is.";
        let schema = ObjectBuilder::new().schema_type(Type::String).examples([json!("\"3\"")]);
        self.parameters.push(parameter("If-Match", ParameterIn::Header, Required::True, about, schema.into()));
        self.refuses.extend([412, 428]);
        self
    }

    /// A header that may be sent.
    pub(crate) fn header(mut self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameters.push(parameter(name, ParameterIn::Header, Required::False, about, schema.into()));
        self
    }

    /// A parameter of the query.
    pub(crate) fn query(mut self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameters.push(parameter(name, ParameterIn::Query, Required::False, about, schema.into()));
        self.has_query = true;
        self
    }

    /// It answers one thing.
    pub(crate) fn answers<A: ToSchema>(self, status: u16, about: &str, example: Value) -> Self {
        self.answer(status, about, Self::known::<A>, example)
    }

    /// It answers a page of a list, whose items are these.
    pub(crate) fn lists<A: ToSchema>(self, example: &Value) -> Self {
        let example = json!({ "items": [example], "next": null });
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(200))
            .default(Some(json!(50)));
        self.answer(200, "A page of the list.", Self::page::<A>, example)
            .query("limit", "How many items at most.", limit)
            .query("after", "The `next` of the page before, in the same order.", text_schema())
    }

    fn page<A: ToSchema>(&mut self) -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(self.known::<A>());
        ObjectBuilder::new()
            .property("items", items)
            .property("next", maybe_text_schema())
            .required("items")
            .required("next")
            .into()
    }

    fn answer(
        mut self,
        status: u16,
        about: &str,
        schema: impl FnOnce(&mut Self) -> RefOr<Schema>,
        example: Value,
    ) -> Self {
        let content = ContentBuilder::new().schema(Some(schema(&mut self))).example(Some(example)).build();
        let answer = ResponseBuilder::new().description(about).content("application/json", content);
        self.answers.insert(status, answer);
        self
    }

    /// It answers something of another type: a text, or an object where the type is one of JSON.
    pub(crate) fn answers_as(mut self, status: u16, about: &str, content_type: &str) -> Self {
        let is_json = content_type.ends_with("json");
        let kind = if is_json { Type::Object } else { Type::String };
        let content = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(kind))).build();
        self.answers.insert(status, ResponseBuilder::new().description(about).content(content_type, content));
        self
    }

    /// It answers where to go instead: 308.
    pub(crate) fn redirects(mut self) -> Self {
        self.answers.insert(308, ResponseBuilder::new().description("It is elsewhere."));
        self.with_location()
    }

    /// It answers that it is done: 204.
    pub(crate) fn done(mut self, about: &str) -> Self {
        self.answers.insert(204, ResponseBuilder::new().description(about));
        self
    }

    /// Its answers bear the version of what they show.
    pub(crate) fn with_version(self) -> Self {
        self.bearing("ETag", "The version, for `If-Match`.")
    }

    /// Its answers say where what was made is found.
    pub(crate) fn with_location(self) -> Self {
        self.bearing("Location", "Where it is found.")
    }

    fn bearing(mut self, name: &str, about: &str) -> Self {
        self.answers =
            self.answers.into_iter().map(|(status, answer)| (status, answer.header(name, header(about)))).collect();
        self
    }

    /// It says no with these statuses besides those that follow from its kind.
    pub(crate) fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refuses.extend(statuses);
        self
    }

    /// A reference to the schema, which the document will hold.
    fn known<S: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = S::name().into_owned();
        S::schemas(&mut self.schemas);
        self.schemas.push((name.clone(), <S as PartialSchema>::schema()));
        RefOr::Ref(Ref::from_schema_name(name))
    }

    /// The schemas that the call refers to.
    pub(crate) fn schemas(&self) -> Vec<(String, RefOr<Schema>)> {
        let mut schemas = self.schemas.clone();
        schemas.push((PROBLEM.to_owned(), problem()));
        schemas
    }

    /// The call at this path, as the document holds it.
    pub(crate) fn operation(self, method: &HttpMethod, path: &str, open: bool) -> Operation {
        let mut parameters: Vec<Parameter> = names(path)
            .map(|name| parameter(name, ParameterIn::Path, Required::True, "Which one.", named_segment(name).into()))
            .collect();
        let has_id = !parameters.is_empty();
        parameters.extend(self.parameters);

        let mut refuses = self.refuses;
        refuses.extend([500, 503]);
        if self.body.is_some() {
            refuses.extend([400, 408, 413, 415, 422]);
        }
        if self.has_query {
            refuses.push(422);
        }
        if has_id {
            refuses.push(404);
        }
        let mut more = self.more;
        if !open {
            refuses.push(401);
        }
        match self.asks {
            Asks::Nothing => {}
            Asks::Right(right) => {
                refuses.push(403);
                more.push(format!("Asks the right `{right}`."));
            }
            Asks::RightToOthers(right) => {
                refuses.push(403);
                more.push(format!("One's own always; another's asks the right `{right}`."));
            }
        }

        let mut answers: BTreeMap<u16, RefOr<utoipa::openapi::Response>> =
            self.answers.into_iter().map(|(status, answer)| (status, answer.build().into())).collect();
        for status in refuses {
            answers.entry(status).or_insert_with(|| refusal(status).build().into());
        }
        let mut operation = OperationBuilder::new()
            .tag(self.tag)
            .summary(Some(self.summary))
            .description((!more.is_empty()).then(|| more.join("\n\n")))
            .operation_id(Some(operation_id(method, path)))
            .parameters(Some(parameters))
            .request_body(self.body);
        if !open {
            operation = operation.security(SecurityRequirement::new("bearer", Vec::<String>::new()));
        }
        for (status, answer) in answers {
            operation = operation.response(status.to_string(), answer);
        }
        operation.build()
    }
}

fn parameter(name: &str, place: ParameterIn, required: Required, about: &str, schema: RefOr<Schema>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

/// The names in braces of a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// What stands for an id is one; what stands for a name is a text.
fn named_segment(name: &str) -> Schema {
    if name == "id" { id_schema() } else { text_schema() }
}

/// `get_api_v1_users_id` for `GET /api/v1/users/{id}`.
fn operation_id(method: &HttpMethod, path: &str) -> String {
    let method = match method {
        HttpMethod::Get => "get",
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Patch => "patch",
        HttpMethod::Delete => "delete",
        HttpMethod::Head | HttpMethod::Options | HttpMethod::Trace => "other",
    };
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |id, word| format!("{id}_{word}"))
}
