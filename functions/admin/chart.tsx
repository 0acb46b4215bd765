import type { DayLine } from './reads.ts';
import type { Visit } from './visit.ts';

/** The drawing is stretched to whatever width there is; words are beside it, so that they keep their size. */
const [WIDTH, HEIGHT, BARS] = [1000, 100, 60];

/** The voters at the end of each day, and the changes of each day; with the figures as a table. */
export function Chart({ visit, days }: { visit: Visit; days: DayLine[] }) {
  const { words, format } = visit;
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last) return null;
  const members = days.map((day) => day.members);
  const [low, high] = spread(Math.min(...members), Math.max(...members));
  const most = scaleOf(days.map(({ joined, left }) => Math.max(joined, left)));
  const step = WIDTH / days.length;
  const y = (value: number) => HEIGHT - ((value - low) / (high - low)) * HEIGHT;
  const line = days
    .map(({ members: value }, index) => {
      const level = y(value).toFixed(1);
      return `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${level}H${((index + 1) * step).toFixed(1)}`;
    })
    .join('');
  const height = (value: number) => Math.min(1, value / most) * (BARS / 2);
  return (
    <figure class="chart">
      <div class="axis" aria-hidden="true">
        <span>{format.number(high)}</span>
        <span>{format.number(low)}</span>
      </div>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={words.chart}
      >
        <path class="voters" d={line} />
      </svg>
      <div class="axis" aria-hidden="true">
        <span>+{format.number(most)}</span>
        <span>−{format.number(most)}</span>
      </div>
      <svg
        class="bars"
        viewBox={`0 0 ${WIDTH} ${BARS}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <line class="zero" x1="0" y1={BARS / 2} x2={WIDTH} y2={BARS / 2} />
        {days.map(({ day, joined, left }, index) => {
          const [x, width] = [index * step + step * 0.2, step * 0.6];
          return (
            <g key={day}>
              {joined > 0 && (
                <rect
                  class="joined"
                  x={x}
                  y={BARS / 2 - height(joined)}
                  width={width}
                  height={height(joined)}
                />
              )}
              {left > 0 && (
                <rect class="left" x={x} y={BARS / 2} width={width} height={height(left)} />
              )}
            </g>
          );
        })}
      </svg>
      <div class="days" aria-hidden="true">
        <span>{format.day(first.day)}</span>
        <span>{format.day(last.day)}</span>
      </div>
      <figcaption>
        <Key name="voters" text={words.columns.members} />
        <Key name="joined" text={words.columns.joined} />
        <Key name="left" text={words.columns.left} />
      </figcaption>
    </figure>
  );
}

const Key = ({ name, text }: { name: string; text: string }) => (
  <span>
    <span class={`key ${name}`} aria-hidden="true" />
    {text}
  </span>
);

// The day of the first load, or of a large clean-up, must not flatten all the others: its bar is cut off.
function scaleOf(changes: number[]): number {
  const [most = 0, second = 0] = changes.toSorted((a, b) => b - a);
  return Math.max(1, second > 0 && most > 10 * second ? second : most);
}

// A flat line is drawn in the middle.
function spread(low: number, high: number): [number, number] {
  return low === high ? [Math.max(0, low - 1), high + 1] : [low, high];
}

/** The same figures for those who read or hear a table. */
export function ChartTable({ visit, days }: { visit: Visit; days: DayLine[] }) {
  const { words, format } = visit;
  const { day, members, joined, left, changed } = words.columns;
  return (
    <details>
      <summary>{words.chartTable}</summary>
      <table>
        <caption>{words.chart}</caption>
        <thead>
          <tr>
            <th scope="col">{day}</th>
            {[members, joined, left, changed].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map((one) => (
            <tr key={one.day}>
              <th scope="row">{format.day(one.day)}</th>
              <td class="number">{format.number(one.members)}</td>
              <td class="number">{format.number(one.joined)}</td>
              <td class="number">{format.number(one.left)}</td>
              <td class="number">{format.number(one.changed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
