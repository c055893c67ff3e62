// The reference of the library, from the declarations that it ships: what docs/reference/api.md says, and the examples that
// test/examples runs. It reads dist/index.d.ts and the files that it names; their form is the compiler's, which is regular
// enough for a scanner of brackets and comments. (Why no TypeDoc: docs/decisions/0052.)
// An export without words or without an example is an error.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const PACKAGE = 'hubspot-association-queue-client';

/**
 * @returns the exports in the order of index.d.ts. `kind`: function, class, type, constant. `members`: of a type or a class
 * @throws Error that names every export which lacks words or an example
 */
export function readApi(dist = DIST) {
  const index = readFileSync(path.join(dist, 'index.d.ts'), 'utf8');
  const lists = [...index.matchAll(/^export (?:type )?\{([^}]*)\} from '(.+?)\.js';/gm)];
  const api = lists.flatMap(([, names, file]) => {
    const known = declarations(readFileSync(path.join(dist, `${file}.d.ts`), 'utf8'));
    return names
      .split(',')
      .map(name => name.replace(/^\s*(type )?/, '').trim())
      .filter(name => name !== '')
      .map(name => known.get(name) ?? fail(`${file}.d.ts does not declare ${name}`));
  });
  const bare = api.filter(({ doc }) => doc.text === '' || doc.examples.length === 0).map(({ name }) => name);
  if (bare.length > 0) fail(`exports need words and an @example with a \`\`\`ts block: ${bare.join(', ')}`);
  return api;
}

function fail(message) {
  throw new Error(message);
}

/** @returns name → declaration, of a .d.ts file */
function declarations(text) {
  const found = new Map();
  for (const { comment, code } of items(text)) {
    const [, word, name] = /^export (?:declare )?(function|const|class|type) (\w+)/.exec(code) ?? [];
    if (!name) continue;
    const kind = word === 'const' ? 'constant' : word;
    const doc = readDoc(comment);
    found.set(name, {
      name,
      kind,
      code: code.replace(/^export (declare )?/, ''),
      doc,
      members: members(code, kind),
    });
  }
  return found;
}

/** Splits text into statements or members, each with the comment before it. Strings and comments hide brackets. */
function items(text) {
  const found = [];
  let [comment, start, depth] = ['', -1, 0];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (text.startsWith('/*', at) || text.startsWith('//', at)) {
      const isBlock = text[at + 1] === '*';
      const end = text.indexOf(isBlock ? '*/' : '\n', at) + (isBlock ? 2 : 0);
      if (start < 0) comment = text.slice(at, end);
      at = end - 1;
      continue;
    }
    if (start < 0 && /\s/.test(char)) continue;
    if (start < 0) start = at;
    if (char === "'" || char === '"' || char === '`') at = text.indexOf(char, at + 1);
    else if ('{[('.includes(char)) depth += 1;
    else if ('}])'.includes(char)) depth -= 1;
    const isEnd = depth === 0 && (char === ';' || (char === '}' && !/^\s*[;&|[]/.test(text.slice(at + 1))));
    if (!isEnd) continue;
    found.push({ comment, code: text.slice(start, at + 1) });
    [comment, start] = ['', -1];
  }
  return found;
}

/** The fields and methods of the first braces of a type or class. */
function members(code, kind) {
  if (kind !== 'class' && kind !== 'type') return [];
  const body = /^export (?:declare )?(?:class [^{]*|type \w+ = (?:\w+ & )?)\{([\s\S]*)\};?$/.exec(code)?.[1];
  if (body === undefined) return [];
  const all = items(body).map(item => ({ ...readMember(item.code), doc: readDoc(item.comment) }));
  const made = all.find(({ name }) => name === 'constructor');
  return all
    .filter(member => member !== made)
    .map(member => ({
      ...member,
      words: member.doc.text || (made?.doc.params.get(bareName(member.name)) ?? ''),
    }));
}

const bareName = name => name.replace(/\?$/, '');

function readMember(code) {
  const text = code
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/;$/, '')
    .replace(/^readonly /, '')
    .replace(/^(\w+\?: .*) \| undefined$/, '$1');
  const method = /^(\[[\w.]+\]|\w+)\(/.exec(text);
  if (method) return { name: method[1], isMethod: true, type: text };
  const [, name = text, type = ''] = /^(\w+\??): (.*)$/.exec(text) ?? [];
  return { name, isMethod: false, type };
}

/** @param comment a JSDoc comment */
function readDoc(comment) {
  const lines = comment
    .replace(/^\/\*\*?/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map(line => line.replace(/^\s*\* ?/, '').trimEnd());
  const doc = { text: '', params: new Map(), returns: '', throws: [], examples: [] };
  const parts = [{ tag: '', text: [] }];
  let isCode = false;
  for (const line of lines) {
    const tag = isCode ? null : /^@(\w+) ?(.*)$/.exec(line);
    if (line.startsWith('```')) isCode = !isCode;
    if (tag) parts.push({ tag: tag[1], text: [tag[2]] });
    else parts.at(-1).text.push(line);
  }
  for (const part of parts) addPart(doc, part.tag, withLinks(part.text.join('\n').trim()));
  return doc;
}

function addPart(doc, tag, text) {
  if (tag === '') doc.text = text;
  else if (tag === 'returns') doc.returns = text;
  else if (tag === 'throws') doc.throws.push(text);
  else if (tag === 'example') doc.examples.push(...(/```ts\n([\s\S]*?)\n```/.exec(text)?.slice(1) ?? []));
  else if (tag === 'param') {
    const [, name, words] = /^(\w+)\s*([\s\S]*)$/.exec(text) ?? [];
    doc.params.set(name, words);
  } else fail(`@${tag} has no place in the reference`);
}

const withLinks = text => text.replace(/\{@link (\w+)\}/g, '`$1`');

const KINDS = [
  ['function', 'Functions'],
  ['type', 'Types'],
  ['class', 'Errors'],
  ['constant', 'Constants'],
];

/** @returns the text of docs/reference/api.md */
export function apiReference(api = readApi()) {
  const parts = [
    '# Library reference',
    `Everything that \`${PACKAGE}\` exports; \`hubspot-association-queue\` exports the same. Generated from the docstrings (\`scripts/api-reference.mjs\`); tests compile and run each example.`,
  ];
  for (const [kind, title] of KINDS) {
    const some = api.filter(each => each.kind === kind);
    parts.push(`**${title}**: ${some.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(' · ')}`);
  }
  for (const [kind] of KINDS) parts.push(...api.filter(each => each.kind === kind).flatMap(entry));
  return `${parts.join('\n\n')}\n`;
}

function entry({ name, kind, code, doc, members: fields }) {
  const parts = [`## ${name}`];
  const isTable = fields.length > 0;
  if (!isTable) parts.push(codeBlock(code.replace(/\n {4}/g, '\n  ').replace(/;$/, '')));
  parts.push(doc.text, ...calls(doc));
  const [, base] = /^type \w+ = (\w+) & \{/.exec(code) ?? [];
  if (base) parts.push(`All of [${base}](#${base.toLowerCase()}), and:`);
  const values = fields.filter(({ isMethod }) => !isMethod);
  if (values.length > 0)
    parts.push(table(kind === 'class' ? values.filter(({ name }) => name !== 'code') : values));
  const errorCode = values.find(each => kind === 'class' && each.name === 'code');
  if (errorCode) parts.push(`\`code\` is ${errorCode.type.replaceAll('"', '`')}.`);
  for (const method of fields.filter(({ isMethod }) => isMethod)) parts.push(...methodEntry(method));
  parts.push(...doc.examples.map(codeBlock));
  return parts.filter(part => part !== '');
}

const codeBlock = code => `\`\`\`ts\n${code}\n\`\`\``;

function methodEntry({ name, type, doc }) {
  return [`### ${name.startsWith('[') ? name.slice(1, -1) : name}`, codeBlock(type), doc.text, ...calls(doc)];
}

/** What a call takes, returns and throws. */
function calls({ params, returns, throws }) {
  const lines = [
    ...[...params].map(([name, words]) => `- \`${name}\`: ${inLine(words)}`),
    ...(returns === '' ? [] : [`- returns ${inLine(returns)}`]),
    ...throws.map(text => `- throws ${inLine(text).replace(/^([A-Z]\w*Error|Error)\b/, '`$1`')}`),
  ];
  return lines.length > 0 ? [lines.join('\n')] : [];
}

const inLine = text => text.replace(/\s+/g, ' ');
const inCell = text => inLine(text).replaceAll('|', '\\|');

function table(fields) {
  const rows = fields.map(
    ({ name, type, words }) => `| \`${name}\` | \`${inCell(type)}\` | ${inCell(words)} |`,
  );
  return ['| field | type | meaning |', '|---|---|---|', ...rows].join('\n');
}
