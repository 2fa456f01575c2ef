//! OpenAPI documentation of one operation: summary, request and responses. Who may call it is in
//! the table of routes.
//!
//! Responses that follow from the kind of operation (an unreadable body, a rejected token, an
//! unknown id) are added here, once. A route's own documentation lists only the responses specific
//! to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tillgate_domain::office::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder, SecurityRequirement};
use utoipa::{PartialSchema, ToSchema};

use super::problem::{PROBLEM_SCHEMA, describe_status, error_response, problem_schema, response_header};
use super::schema::{id_schema, nullable_text_schema, text_schema};
use crate::serving::requirement::Requirement;

/// Name of the security scheme of access tokens that are bound to no key.
pub(super) const BEARER_SCHEME: &str = "bearer";

/// Name of the security scheme of access tokens that are bound to a key.
pub(super) const DPOP_SCHEME: &str = "dpop";

/// The documentation of one operation.
pub(crate) struct OperationDoc {
    tag: &'static str,
    summary: &'static str,
    description: Vec<String>,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    responses: BTreeMap<u16, ResponseBuilder>,
    /// Error statuses with their texts.
    errors: BTreeMap<u16, &'static str>,
    has_query: bool,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl OperationDoc {
    /// Creates the documentation of an operation in the group `tag`, with a summary of a few words.
    pub(crate) fn new(tag: &'static str, summary: &'static str) -> Self {
        Self {
            tag,
            summary,
            description: Vec::new(),
            parameters: Vec::new(),
            body: None,
            responses: BTreeMap::new(),
            errors: BTreeMap::new(),
            has_query: false,
            schemas: Vec::new(),
        }
    }

    /// Adds a paragraph to the description.
    pub(crate) fn description(mut self, sentences: impl Into<String>) -> Self {
        self.description.push(sentences.into());
        self
    }

    /// Documents a JSON body in which unknown members are rejected.
    pub(crate) fn request_body<B: ToSchema>(self, example: Value) -> Self {
        self.set_body::<B>("application/json", example).deny_unknown_members()
    }

    /// Documents a JSON body in which unknown members are ignored.
    pub(crate) fn lenient_request_body<B: ToSchema>(self, example: Value) -> Self {
        self.set_body::<B>("application/json", example)
    }

    /// Documents a merge patch (RFC 7396) that requires `If-Match`.
    pub(crate) fn merge_patch<B: ToSchema>(self, example: Value) -> Self {
        self.set_body::<B>("application/merge-patch+json", example).deny_unknown_members().requires_if_match()
    }

    /// Makes the body optional.
    pub(crate) fn optional_body(mut self) -> Self {
        if let Some(body) = &mut self.body {
            body.required = Some(Required::False);
        }
        self
    }

    /// Rejects unknown members in the schema of the body, which is the last schema that was added.
    fn deny_unknown_members(mut self) -> Self {
        if let Some((_, RefOr::T(Schema::Object(sent)))) = self.schemas.last_mut() {
            sent.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        self
    }

    fn set_body<B: ToSchema>(mut self, content_type: &str, example: Value) -> Self {
        let content = ContentBuilder::new().schema(Some(self.register_schema::<B>())).example(Some(example)).build();
        self.body =
            Some(RequestBodyBuilder::new().required(Some(Required::True)).content(content_type, content).build());
        self
    }

    /// Requires the version in `If-Match`.
    pub(crate) fn requires_if_match(mut self) -> Self {
        let about = "The `ETag` that you read, strong or weak, or a list of several; `*` for any version.";
        let schema = ObjectBuilder::new().schema_type(Type::String).examples([json!("\"3\"")]);
        self.parameters.push(build_parameter("If-Match", ParameterIn::Header, Required::True, about, schema.into()));
        self.errors(&[412, 428])
    }

    /// Documents an optional request header.
    pub(crate) fn header_parameter(mut self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameters.push(build_parameter(name, ParameterIn::Header, Required::False, about, schema.into()));
        self
    }

    /// Documents an optional query parameter.
    pub(crate) fn query_parameter(mut self, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameters.push(build_parameter(name, ParameterIn::Query, Required::False, about, schema.into()));
        self.has_query = true;
        self
    }

    /// Documents a response with one object.
    pub(crate) fn response<A: ToSchema>(self, status: u16, about: &str, example: Value) -> Self {
        self.add_response(status, about, Self::register_schema::<A>, example)
    }

    /// Documents a response with a page of a list of these items.
    pub(crate) fn page_response<A: ToSchema>(self, example: &Value) -> Self {
        let example = json!({ "items": [example], "next": null });
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MAX_PAGE_SIZE))
            .default(Some(json!(DEFAULT_PAGE_SIZE)));
        self.add_response(200, "A page of the list.", Self::page_schema::<A>, example)
            .query_parameter(
                "limit",
                "Maximum number of items. A page ends earlier if its items would exceed 4 MiB.",
                limit,
            )
            .query_parameter("after", "The `next` of the previous page, in the same order.", text_schema())
    }

    fn page_schema<A: ToSchema>(&mut self) -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(self.register_schema::<A>());
        ObjectBuilder::new()
            .property("items", items)
            .property("next", nullable_text_schema())
            .required("items")
            .required("next")
            .into()
    }

    fn add_response(
        mut self,
        status: u16,
        about: &str,
        schema: impl FnOnce(&mut Self) -> RefOr<Schema>,
        example: Value,
    ) -> Self {
        let content = ContentBuilder::new().schema(Some(schema(&mut self))).example(Some(example)).build();
        let response = ResponseBuilder::new().description(about).content("application/json", content);
        self.responses.insert(status, response);
        self
    }

    /// Documents a response of another media type, or another media type of a response: an object
    /// if it is a JSON type, otherwise text.
    pub(crate) fn typed_response(mut self, status: u16, about: &str, content_type: &str) -> Self {
        let is_json = content_type.ends_with("json");
        let kind = if is_json { Type::Object } else { Type::String };
        let content = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(kind))).build();
        let response = self.responses.remove(&status).unwrap_or_default();
        self.responses.insert(status, response.description(about).content(content_type, content));
        self
    }

    /// Documents a redirect (308).
    pub(crate) fn redirect(mut self) -> Self {
        self.responses.insert(308, ResponseBuilder::new().description("The new location is in `Location`."));
        self.with_location()
    }

    /// Documents a response without content (204).
    pub(crate) fn no_content(mut self, about: &str) -> Self {
        self.responses.insert(204, ResponseBuilder::new().description(about));
        self
    }

    /// Documents that responses have the version of the resource in `ETag`.
    pub(crate) fn with_etag(self) -> Self {
        self.with_response_header("ETag", "The version, for `If-Match`.")
    }

    /// Documents that responses have the location of the resource in `Location`.
    pub(crate) fn with_location(self) -> Self {
        self.with_response_header("Location", "The location of the resource.")
    }

    /// Documents that responses have the position of a revocation in `Revocation`, if the call ends
    /// sessions or API keys.
    pub(crate) fn with_revocation(self) -> Self {
        let about = "The position of the revocation, for `GET revocations/{position}`; absent if nothing ended.";
        self.with_response_header("Revocation", about)
    }

    fn with_response_header(mut self, name: &str, about: &str) -> Self {
        self.responses = self
            .responses
            .into_iter()
            .map(|(status, response)| (status, response.header(name, response_header(about))))
            .collect();
        self
    }

    /// Documents error statuses in addition to those that follow from the kind of operation.
    pub(crate) fn errors(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self.errors.entry(*status).or_insert(describe_status(*status));
        }
        self
    }

    /// Documents an error status that means something else than usual, or more.
    pub(crate) fn error(mut self, status: u16, about: &'static str) -> Self {
        self.errors.insert(status, about);
        self
    }

    /// Adds the schema to the document and returns a reference to it.
    fn register_schema<S: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = S::name().into_owned();
        S::schemas(&mut self.schemas);
        self.schemas.push((name.clone(), <S as PartialSchema>::schema()));
        RefOr::Ref(Ref::from_schema_name(name))
    }

    /// The schemas to which the operation refers.
    pub(crate) fn schemas(&self) -> Vec<(String, RefOr<Schema>)> {
        let mut schemas = self.schemas.clone();
        schemas.push((PROBLEM_SCHEMA.to_owned(), problem_schema()));
        schemas
    }

    /// Builds the operation at this path, for callers who meet this requirement; `None` if it
    /// requires no authentication.
    pub(crate) fn build(mut self, method: &HttpMethod, path: &str, requirement: Option<Requirement>) -> Operation {
        let mut parameters: Vec<Parameter> = path_parameter_names(path)
            .map(|name| {
                build_parameter(
                    name,
                    ParameterIn::Path,
                    Required::True,
                    "The resource's id or name.",
                    path_parameter_schema(name).into(),
                )
            })
            .collect();
        let has_id = !parameters.is_empty();
        parameters.append(&mut self.parameters);

        let mut statuses = vec![500, 503];
        if self.body.is_some() {
            statuses.extend([400, 408, 413, 415, 422]);
        }
        if self.has_query {
            statuses.push(422);
        }
        if has_id {
            statuses.push(404);
        }
        let mut more = std::mem::take(&mut self.description);
        if requirement.is_some() {
            statuses.push(401);
        }
        if let Some(requirement) = requirement.filter(|requirement| *requirement != Requirement::Authenticated) {
            statuses.push(403);
            more.push(requirement.to_string());
        }

        self = self.errors(&statuses);
        let mut responses: BTreeMap<u16, RefOr<utoipa::openapi::Response>> =
            self.responses.into_iter().map(|(status, response)| (status, response.build().into())).collect();
        for (status, about) in self.errors {
            responses.entry(status).or_insert_with(|| error_response(status, about).build().into());
        }
        let mut operation = OperationBuilder::new()
            .tag(self.tag)
            .summary(Some(self.summary))
            .description((!more.is_empty()).then(|| more.join("\n\n")))
            .operation_id(Some(build_operation_id(method, path)))
            .parameters(Some(parameters))
            .request_body(self.body);
        if requirement.is_some() {
            // one of the two
            for scheme in [BEARER_SCHEME, DPOP_SCHEME] {
                operation = operation.security(SecurityRequirement::new(scheme, Vec::<String>::new()));
            }
        }
        for (status, response) in responses {
            operation = operation.response(status.to_string(), response);
        }
        operation.build()
    }
}

fn build_parameter(
    name: &str,
    location: ParameterIn,
    required: Required,
    about: &str,
    schema: RefOr<Schema>,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(location)
        .required(required)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

/// The names in braces of a path.
fn path_parameter_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// The schema of a path parameter: `id` is an id, everything else a text.
fn path_parameter_schema(name: &str) -> Schema {
    if name == "id" { id_schema() } else { text_schema() }
}

/// Builds an operation id: `get_api_v1_users_id` for `GET /api/v1/users/{id}`.
fn build_operation_id(method: &HttpMethod, path: &str) -> String {
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
