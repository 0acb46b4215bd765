const WIDTH = 100;

/**
 * JSON for a terminal: indented by two, and what fits on one line of 100 characters stays on it. Gives
 * back a text that is no JSON as it is.
 */
export function prettyJson(text: string): string {
  try {
    return `${pretty(JSON.parse(text), '', 0)}\n`;
  } catch {
    return text;
  }
}

// `taken` is what else stands on the line: the name before the value, and the comma after it.
function pretty(value: unknown, indent: string, taken: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const line = oneLine(value);
  // The whole answer is spread out, however short.
  if (indent !== '' && indent.length + taken + line.length <= WIDTH) return line;
  const deeper = `${indent}  `;
  const items = Array.isArray(value)
    ? value.map((item) => pretty(item, deeper, 1))
    : Object.entries(value).map(([name, item]) => {
        const start = `${JSON.stringify(name)}: `;
        return start + pretty(item, deeper, start.length + 1);
      });
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => deeper + item).join(',\n')}\n${indent}${close}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, item]) => `${JSON.stringify(name)}: ${oneLine(item)}`,
  );
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
