// Makes the table of values in the chart's README from values.yaml: a comment "# -- …" describes the value below it, which is
// then one row, with all that it holds. A value without a description must be a map whose values have one.
import { isMap, parseDocument } from 'yaml';

/** Markdown, without a newline at the end. @throws Error that names each value without a description */
export function valuesTable(text, roles) {
  const undescribed = [];
  const rows = rowsOf(parseDocument(text).contents, '', undescribed);
  if (undescribed.length > 0)
    throw new Error(`values.yaml: no line "# -- …" describes ${undescribed.join(', ')}`);
  return [
    '| value | default | meaning |',
    '|---|---|---|',
    ...rows.map(({ name, value, meaning }) => `| \`${name}\` | ${value} | ${meaning} |`),
    '',
    secretsText(roles),
  ].join('\n');
}

/** A comment above the first key of a map belongs to the map, as the parser has it. */
function rowsOf(map, prefix, undescribed) {
  return map.items.flatMap(({ key, value }, at) => {
    const name = `${prefix}${key.value}`;
    const comment = [at === 0 ? map.commentBefore : undefined, key.commentBefore].filter(Boolean).join('\n');
    const meaning = meaningOf(comment);
    if (meaning !== undefined) return [{ name, value: shown(value), meaning }];
    if (isMap(value) && value.items.length > 0) return rowsOf(value, `${name}.`, undescribed);
    undescribed.push(name);
    return [];
  });
}

/** @returns the text behind the last "--" of a comment and the lines that continue it */
function meaningOf(comment) {
  const lines = comment.split('\n').map(line => line.trim());
  const from = lines.findLastIndex(line => line.startsWith('-- '));
  return from < 0 ? undefined : lines.slice(from).join(' ').slice(3).replaceAll('|', '\\|');
}

function shown(node) {
  const value = node.toJSON();
  return value === '' ? '–' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function secretsText(roles) {
  const names = [...new Set(Object.values(roles).flatMap(({ secrets }) => secrets))];
  const readers = name =>
    Object.keys(roles)
      .filter(role => roles[role].secrets.includes(name))
      .join(', ');
  return [
    '| name under `secrets` | read by |',
    '|---|---|',
    ...names.map(name => `| \`${name}\` | ${readers(name)} |`),
  ].join('\n');
}
