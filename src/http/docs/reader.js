// Shows the document. Whatever it says is set as text, never as markup.
"use strict";

const make = (name, { text, kind, ...attributes } = {}, ...children) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};

const nameOf = (schema) => schema.$ref?.split("/").pop();

// One line for what a field may be
const sort = (schema) => {
  if (!schema) return "";
  if (schema.$ref) return nameOf(schema);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map(sort).join(" or ");
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `${sort(schema.items)}[]${schema.maxItems ? `, at most ${schema.maxItems}` : ""}`;
  const type = [schema.type ?? "anything"].flat().join(" or ");
  const limits = [];
  if (schema.format) limits.push(schema.format);
  if (schema.minLength !== undefined || schema.maxLength !== undefined)
    limits.push(`${schema.minLength ?? 0} to ${schema.maxLength ?? "any number of"} characters`);
  if (schema.minimum !== undefined)
    limits.push(schema.maximum === undefined ? `${schema.minimum} or more` : `${schema.minimum} to ${schema.maximum}`);
  // What keeps control characters out is for programs
  if (schema.pattern && !schema.pattern.includes("\\u")) limits.push(schema.pattern);
  return limits.length ? `${type}, ${limits.join(", ")}` : type;
};

// What stands between backticks is code
const words = (text) => text.split("`").map((part, n) => n % 2 ? make("code", { text: part }) : part);

const rows = (list) => make("table", {}, ...list.map(([name, what]) =>
  make("tr", {}, make("td", {}, make("code", { text: name })), make("td", { text: what }))));

const fields = (schema) => {
  const required = new Set(schema.required ?? []);
  return rows(Object.entries(schema.properties ?? {}).map(([name, field]) =>
    [name + (required.has(name) ? "" : "?"), [sort(field), field.description].filter(Boolean).join(". ")]));
};

const json = (value) => make("pre", { text: JSON.stringify(value, null, 2) });

const operation = (method, path, told) => {
  const inside = make("div");
  if (told.description) inside.append(make("p", { text: told.description }));
  if (told.parameters) {
    inside.append(make("h3", { text: "Parameters" }), rows(told.parameters.map((it) =>
      [`${it.name} (${it.in})`, [sort(it.schema), it.description].filter(Boolean).join(". ")])));
  }
  for (const [type, body] of Object.entries(told.requestBody?.content ?? {})) {
    inside.append(make("h3", { text: `Body, ${type}` }), body.schema.properties ? fields(body.schema) : make("p", { text: sort(body.schema) }));
    if (body.example !== undefined && type === "application/json") inside.append(json(body.example));
  }
  inside.append(make("h3", { text: "Answers" }));
  const answers = Object.entries(told.responses);
  inside.append(rows(answers.map(([status, answer]) => [status, answer.description])));
  for (const [status, answer] of answers) {
    const example = answer.content?.["application/json"]?.example;
    if (example !== undefined) inside.append(make("h3", { text: `${status}, for example` }), json(example));
  }
  const needs = (told.security ?? []).every((way) => Object.keys(way).length > 0);
  const summary = make("summary", {},
    make("span", { text: method, kind: "method" }), make("span", { text: path, kind: "path" }));
  if (needs) summary.append(make("span", { text: "token", kind: "lock" }));
  summary.append(make("span", { text: told.summary, kind: "about" }));
  const details = make("details", { kind: "operation", id: told.operationId }, summary, inside);
  details.dataset.words = `${method} ${path} ${told.summary}`.toLowerCase();
  return details;
};

const show = (told) => {
  document.getElementById("version").textContent = told.info.version;
  const main = document.getElementById("operations");
  const nav = document.getElementById("tags");
  main.replaceChildren(make("p", { kind: "pre" }, ...words(told.info.description)));
  const section = (name, ...children) => {
    nav.append(make("a", { text: name, href: `#${name}` }));
    main.append(make("section", {}, make("h2", { text: name, id: name }), ...children));
  };
  for (const { name } of told.tags) {
    const inside = [];
    for (const [path, methods] of Object.entries(told.paths))
      for (const [method, it] of Object.entries(methods))
        if (it.tags.includes(name)) inside.push(operation(method, path, it));
    section(name, ...inside);
  }
  section("Shapes", ...Object.entries(told.components.schemas).map(([name, schema]) => {
    const details = make("details", { kind: "operation", id: name },
      make("summary", {}, make("span", { text: name, kind: "path" })), make("div", {}, fields(schema)));
    details.dataset.words = name.toLowerCase();
    return details;
  }));
  document.getElementById("search").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/);
    for (const it of document.querySelectorAll("details.operation"))
      it.hidden = !words.every((word) => it.dataset.words.includes(word));
    for (const it of document.querySelectorAll("section"))
      it.hidden = !it.querySelector("details.operation:not([hidden])");
  });
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target) {
    target.open = true;
    target.scrollIntoView();
  }
};

fetch("/openapi.json")
  .then((answer) => answer.ok ? answer.json() : Promise.reject(new Error(`${answer.status}`)))
  .then(show)
  .catch((error) => {
    document.getElementById("operations").replaceChildren(make("p", { text: `The document could not be read: ${error.message}` }));
  });
