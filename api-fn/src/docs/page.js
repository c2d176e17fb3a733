// Shows /openapi.json and sends the requests it describes. All text goes into text nodes.
"use strict";

const at = (id) => document.getElementById(id);

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

/** Text with what stands between back-ticks as code. */
function prose(text) {
  const parts = (text || "").split("`");
  return parts.map((part, index) => (index % 2 && index < parts.length - 1 ? make("code", {}, part) : part));
}

/** The key with which this tab is signed in to the dashboard; none where storage is forbidden. */
function sessionKey() {
  try { return sessionStorage.getItem("hlsops.key") || ""; } catch { return ""; }
}

const nameOf = (reference) => reference.split("/").pop();

/** A schema in one line, with links to the shapes it names. */
function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return make("a", { href: "#" + nameOf(schema.$ref) }, nameOf(schema.$ref));
  const choices = schema.oneOf || schema.anyOf || schema.allOf;
  if (choices) {
    const shown = choices.filter((choice) => choice.type !== "null").map(typeOf);
    return make("span", {}, ...shown.flatMap((one, index) => (index ? [schema.allOf ? " and " : " or ", one] : [one])));
  }
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return make("span", {}, "list of ", typeOf(schema.items));
  const types = [].concat(schema.type || "any").filter((type) => type !== "null");
  return types.join(" or ") + (schema.format ? " (" + schema.format + ")" : "");
}

function fields(schema) {
  const rows = Object.entries(schema.properties || {}).map(([name, field]) =>
    make("tr", {},
      make("td", {}, make("code", {}, name), (schema.required || []).includes(name) ? "" : " (optional)"),
      make("td", {}, typeOf(field)),
      make("td", {}, ...prose(field.description))));
  return rows.length ? make("table", {}, make("tbody", {}, ...rows)) : null;
}

function shape(name, schema) {
  const parts = schema.allOf ? schema.allOf.map((part) => part.$ref ? make("p", {}, "All of ", typeOf(part), " and:") : fields(part)) : [fields(schema)];
  const words = schema.enum || (schema.oneOf || []).flatMap((one) => one.enum || []);
  return make("details", { id: name }, make("summary", {}, make("code", {}, name)),
    make("div", {}, make("p", {}, ...prose(schema.description)), ...parts, words.length ? make("p", {}, words.join(" | ")) : null));
}

/** What a body may look like, as text: the first example of the shape it has. */
function exampleOf(schema, schemas) {
  const named = [schema, ...(schema.oneOf || schema.anyOf || [])].find((one) => one.$ref);
  const [example] = (named && schemas[nameOf(named.$ref)].examples) || [];
  return example && JSON.stringify(example, null, 2);
}

const bodyOf = (operation) => {
  const content = operation.requestBody && operation.requestBody.content;
  return content && content["application/json"] && content["application/json"].schema;
};

function operationOf(path, method, operation, schemas) {
  const inputs = (operation.parameters || []).map((parameter) => {
    const field = make("input", { "aria-label": parameter.name, size: 28 });
    return { parameter, field };
  });
  const table = inputs.length ? make("table", {}, make("tbody", {}, ...inputs.map(({ parameter, field }) =>
    make("tr", {}, make("td", {}, make("code", {}, parameter.name), parameter.required ? "" : " (optional)"),
      make("td", {}, ...prose(parameter.description)), make("td", {}, field))))) : null;
  const schema = bodyOf(operation);
  const body = schema ? make("textarea", { "aria-label": "body", spellcheck: "false" }) : null;
  const example = schema && exampleOf(schema, schemas);
  const take = example && make("button", { type: "button" }, "Use the example");
  if (take) take.addEventListener("click", () => { body.value = example; });
  const answers = Object.entries(operation.responses || {}).map(([status, answer]) => {
    const content = answer.content && Object.values(answer.content)[0];
    return make("li", {}, make("code", {}, status), " ", content ? typeOf(content.schema) : "", " ", ...prose(answer.description));
  });
  const output = make("pre", { tabindex: "0", hidden: "" });
  const button = make("button", { type: "button" }, "Send");
  button.addEventListener("click", () => send(path, method, inputs, body, output));
  return make("details", {},
    make("summary", {}, make("span", { class: "method" }, method.toUpperCase()), make("code", {}, path), " ", ...prose(operation.summary)),
    make("div", {}, make("p", {}, ...prose(operation.description)), table,
      schema ? make("p", {}, "Body: ", typeOf(schema)) : null,
      example ? make("details", {}, make("summary", {}, "Example"), make("div", {}, make("pre", { tabindex: "0" }, example), take)) : null,
      body, make("ul", {}, ...answers), button, output));
}

async function send(path, method, inputs, body, output) {
  const query = new URLSearchParams();
  const headers = {};
  const key = at("key").value.trim();
  if (key) headers["X-Api-Key"] = key;
  let url = path;
  for (const { parameter, field } of inputs) {
    const value = field.value.trim();
    if (parameter.in === "path") url = url.replace("{" + parameter.name + "}", encodeURIComponent(value));
    else if (value && parameter.in === "query") query.append(parameter.name, value);
    else if (value && parameter.in === "header") headers[parameter.name] = value;
  }
  if (body && body.value.trim()) headers["Content-Type"] = "application/json";
  const text = query.toString();
  output.hidden = false;
  output.textContent = "...";
  try {
    const answer = await fetch(url + (text ? "?" + text : ""), {
      method: method.toUpperCase(), headers, body: body && body.value.trim() ? body.value : undefined, cache: "no-store",
    });
    const shown = ["etag", "location", "request-id", "as-of", "probed-at"].filter((name) => answer.headers.get(name))
      .map((name) => name + ": " + answer.headers.get(name));
    const content = await answer.text();
    let pretty = content;
    try { pretty = JSON.stringify(JSON.parse(content), null, 2); } catch { /* shown as it came */ }
    output.textContent = [answer.status + " " + answer.statusText, ...shown, "", pretty].join("\n");
  } catch (error) {
    output.textContent = "No answer: " + error.message;
  }
}

async function show() {
  // A form for the browser's sake: it has nowhere to go.
  at("who").addEventListener("submit", (event) => event.preventDefault());
  if (!at("key").value) at("key").value = sessionKey();
  const description = await (await fetch("/openapi.json")).json();
  at("about").replaceChildren(...description.info.description.split("\n\n").map((part) => make("p", {}, ...prose(part))));
  const groups = new Map();
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = (operation.tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operationOf(path, method, operation, description.components.schemas));
    }
  }
  for (const [tag, operations] of groups) at("paths").append(make("h2", {}, tag), ...operations);
  const schemas = Object.entries(description.components.schemas).sort(([a], [b]) => a.localeCompare(b));
  at("schemas").append(...schemas.map(([name, schema]) => shape(name, schema)));
  const open = () => {
    const target = location.hash && at(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
}

show().catch((error) => { at("about").textContent = "The description cannot be read: " + error.message; });
