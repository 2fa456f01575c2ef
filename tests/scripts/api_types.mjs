// Writes the types of the native API's calls as declarations of TypeScript, by the OpenAPI document:
//
//   node api_types.mjs openapi.json native-api.d.ts
//
// `NativeApi.User` is a schema. `NativeApi.Response<"GET", "users/0192">` is the body of the response to a
// call, `Body` that of its request, `Query` its parameters. A path that is not known before the call is
// made, such as `${list}/${id}`, is not checked.

import { readFileSync, writeFileSync } from "node:fs";

const PREFIX = "/api/v1/";
const PRIMITIVES = { string: "string", integer: "number", number: "number", boolean: "boolean", null: "null" };

const [, , source, target] = process.argv;
const { paths, components } = JSON.parse(readFileSync(source, "utf8"));

/** The type of a JSON schema. */
function typeOf(schema) {
  if (!schema) return "any";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map((each) => `(${typeOf(each)})`).join(" | ");
  if (schema.allOf) {
    const parts = schema.properties ? [...schema.allOf, { type: "object", properties: schema.properties, required: schema.required }] : schema.allOf;
    return parts.map((each) => `(${typeOf(each)})`).join(" & ");
  }
  const kinds = [schema.type ?? (schema.properties ? "object" : [])].flat();
  return kinds.map((kind) => typeOfKind(kind, schema)).join(" | ") || "any";
}

function typeOfKind(kind, schema) {
  if (kind === "array") return `(${typeOf(schema.items)})[]`;
  if (kind === "object") return typeOfObject(schema);
  if (!PRIMITIVES[kind]) throw new Error(`unknown type ${kind}`);
  return PRIMITIVES[kind];
}

function typeOfObject({ properties, required = [], additionalProperties }) {
  if (!properties) return `Record<string, ${additionalProperties?.constructor === Object ? typeOf(additionalProperties) : "any"}>`;
  const members = Object.entries(properties).map(([name, schema]) => {
    const optional = required.includes(name) ? "" : "?";
    return `${JSON.stringify(name)}${optional}: ${typeOf(schema)}`;
  });
  return `{ ${members.join("; ")} }`;
}

/** The types of a call. */
function typesOf(operation) {
  const jsonOf = (content) => content?.["application/json"] ?? content?.["application/merge-patch+json"];
  const successes = Object.entries(operation.responses).filter(([status]) => status.startsWith("2"));
  const responses = successes.map(([, { content }]) => (jsonOf(content) ? typeOf(jsonOf(content).schema) : "null"));
  const body = jsonOf(operation.requestBody?.content);
  const names = (operation.parameters ?? []).filter((each) => each.in === "query").map(({ name }) => `${JSON.stringify(name)}?: unknown`);
  return {
    response: [...new Set(responses)].join(" | ") || "null",
    body: body ? typeOf(body.schema) : "Record<string, never>",
    query: names.length ? `{ ${names.join("; ")} }` : "Record<string, never>",
  };
}

const calls = Object.entries(paths)
  .filter(([path]) => path.startsWith(PREFIX))
  .flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path.slice(PREFIX.length)}`,
      ...typesOf(operation),
    })),
  );

/** More segments first, then fewer placeholders, so that the first template that fits is the right one. */
const rank = ({ name }) => name.split("/").length * 100 - name.split("{").length;
const ordered = [...calls].sort((a, b) => rank(b) - rank(a));
const template = ({ name }) => `\`${name.replace(/\{[^}]*\}/g, "${string}")}\``;

writeFileSync(
  target,
  `// Generated from the OpenAPI document.
declare namespace NativeApi {
${Object.entries(components.schemas).map(([name, schema]) => `  type ${name} = ${typeOf(schema)};`).join("\n")}

  interface Calls {
${calls.map(({ name, response, body, query }) => `    ${JSON.stringify(name)}: { response: ${response}; body: ${body}; query: ${query} };`).join("\n")}
  }

  /** The call that a method and a path mean; \`*\` if the path is not known yet, never if there is none. */
  type CallOf<M extends string, P extends string> = P extends string
    ? string extends P ? "*"
${ordered.map((call) => `    : \`\${M} \${P}\` extends ${template(call)} ? ${JSON.stringify(call.name)}`).join("\n")}
    : P extends \`\${infer First}/\${string}\` ? (string extends First ? "*" : never) : never
    : never;

  type Part<C, K extends "response" | "body" | "query"> = [C] extends [never] ? never : C extends keyof Calls ? Calls[C][K] : any;
  type Response<M extends string, P extends string> = Part<CallOf<M, P>, "response">;
  /** Without what is missing: most bodies are values of forms, whose members are not known. */
  type Body<M extends string, P extends string> = Partial<Part<CallOf<M, P>, "body">>;
  type Query<M extends string, P extends string> = Part<CallOf<M, P>, "query">;
  /** An item of a list. */
  type Item<P extends string> = Response<"GET", P> extends { items: (infer I)[] } ? I : any;
}
`,
);
