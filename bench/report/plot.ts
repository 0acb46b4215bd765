export interface Series {
  name: string;
  /** [members, value] */
  points: [number, number][];
}

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = { left: 64, right: 150, top: 36, bottom: 44 };
const COLOURS = ['#0b6e99', '#c2410c', '#4d7c0f', '#7c3aed', '#a16207', '#64748b'];

/** A line plot with logarithmic axes as SVG text: no library, no script, readable in any viewer. */
export function plot(title: string, unit: string, series: Series[]): string {
  const drawn = series.filter(({ points }) => points.length > 0);
  const xs = drawn.flatMap(({ points }) => points.map(([x]) => x));
  const ys = drawn.flatMap(({ points }) => points.map(([, y]) => y));
  const x = scale(decades(xs), MARGIN.left, WIDTH - MARGIN.right);
  const y = scale(decades(ys), HEIGHT - MARGIN.bottom, MARGIN.top);
  const lines = drawn.map(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const path = points.map(([px, py]) => `${x.at(px)},${y.at(py)}`).join(' ');
    const [lastX, lastY] = points.at(-1) as [number, number];
    const dots = points
      .map(([px, py]) => `<circle cx="${x.at(px)}" cy="${y.at(py)}" r="3" fill="${colour}"/>`)
      .join('');
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}<text x="${x.at(lastX) + 8}" y="${y.at(lastY) + 4}" fill="${colour}">${name}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>${title}</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${MARGIN.left}" y="20" font-size="14" font-weight="bold">${title}</text>
${x.ticks.map((tick) => `<line x1="${x.at(tick)}" y1="${MARGIN.top}" x2="${x.at(tick)}" y2="${HEIGHT - MARGIN.bottom}" stroke="#e5e5e5"/><text x="${x.at(tick)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${tick.toLocaleString('en')}</text>`).join('\n')}
${y.ticks.map((tick) => `<line x1="${MARGIN.left}" y1="${y.at(tick)}" x2="${WIDTH - MARGIN.right}" y2="${y.at(tick)}" stroke="#e5e5e5"/><text x="${MARGIN.left - 8}" y="${y.at(tick) + 4}" text-anchor="end">${tick.toLocaleString('en')} ${unit}</text>`).join('\n')}
${lines.join('\n')}
<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">members</text>
</svg>
`;
}

function decades(values: number[]): number[] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: high - low + 1 }, (_, index) =>
    Number((10 ** (low + index)).toPrecision(1)),
  );
}

function scale(ticks: number[], from: number, to: number) {
  const low = Math.log10(ticks[0] as number);
  const high = Math.log10(ticks.at(-1) as number);
  const at = (value: number) =>
    Math.round((from + ((Math.log10(value) - low) / (high - low)) * (to - from)) * 10) / 10;
  return { ticks, at };
}
