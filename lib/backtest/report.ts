import { type Ran, short, verdicts } from './results.js'
import type { Chart, ChartLine } from './suite.js'

const WIDTH = 640
const HEIGHT = 260
const LEFT = 56
const BOTTOM = 34
/** Where a scale by factors begins. */
const LEAST = 1e-3
const COLOURS = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700', '#8250df', '#57606a']

/** The results as one page that needs nothing else. */
export function htmlOf(all: readonly Ran[], made: Date): string {
  return pageOf('Backtests', all.map(section).join('\n'), made)
}

/** A page that needs nothing else. */
export function pageOf(title: string, body: string, made: Date): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>forelock: ${title.toLowerCase()}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f2328}table{border-collapse:collapse}
td,th{padding:.2rem .8rem;border-bottom:1px solid #d1d9e0;text-align:left;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}
.met{color:#1a7f37}.missed{color:#d1242f;font-weight:600}svg{max-width:100%}figure{margin:1.5rem 0}small,figcaption{color:#57606a}</style>
<h1>${title}</h1><p><small>${made.toISOString()}, Node ${process.versions.node}</small></p>
${body}
</html>
`
}

function section({ suite, result, seconds }: Ran): string {
  const rows = result.measures.map(measure => {
    const { id, unit, value, rivals = {}, note } = measure
    const marks = verdicts(measure).map(word => `<span class="${/MISSED/.test(word) ? 'missed' : 'met'}">${escaped(word)}</span>`)
    const others = Object.entries(rivals).map(([name, one]) => escaped(`${name} ${short(one)}`))
    const text = [...others, ...(note === undefined ? [] : [escaped(note)])]
    return `<tr><td>${escaped(id)}</td><td class="n">${short(value)}</td><td>${escaped(unit)}</td><td>${marks.join('<br>')}</td><td>${text.join('<br>')}</td></tr>`
  })
  return `<h2>${escaped(suite.name)}</h2><p>${escaped(suite.title)}. <small>${escaped(suite.settings)}; ${seconds.toFixed(1)} s.</small></p>
<table><tr><th>measure<th>value<th>unit<th>bar<th>beside it</tr>${rows.join('\n')}</table>
${(result.charts ?? []).map(figure).join('\n')}`
}

export function figure(chart: Chart): string {
  const across = (value: number) => (chart.logX === true ? Math.log10(Math.max(value, LEAST)) : value)
  const told = (place: number) => (chart.logX === true ? 10 ** place : place)
  const all = chart.lines.flatMap(({ points, band }) => [
    ...points.map(([x, y]) => [x, y, y] as const),
    ...(band ?? []).map(([low, high], i) => [points[i]?.[0] ?? 0, low, high] as const)
  ])
  const [left, right] = chart.square === true ? [0, 1] : ends(all.map(([x]) => across(x)))
  const [bottom, top] = chart.square === true ? [0, 1] : ends(all.flatMap(([, low, high]) => [low, high]))
  const x = (value: number) => LEFT + ((WIDTH - LEFT - 8) * (across(value) - left)) / (right - left)
  const y = (value: number) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - 8) * (value - bottom)) / (top - bottom)
  const path = (points: readonly (readonly [number, number])[]) =>
    points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join('')
  const drawn = chart.lines.map((line, i) => draw(line, COLOURS[i % COLOURS.length] as string, path, ([px, py]) => [x(px), y(py)]))
  const diagonal =
    chart.square === true
      ? `<path d="${path([
          [0, 0],
          [1, 1]
        ])}" stroke="#d1d9e0" fill="none"/>`
      : ''
  const names = chart.lines.map(({ name }, i) => `<tspan fill="${COLOURS[i % COLOURS.length]}">${escaped(name)}</tspan>`).join(' · ')
  const text = (px: number, py: number, anchor: string, value: string) =>
    `<text x="${px}" y="${py}" text-anchor="${anchor}">${value}</text>`
  return `<figure><figcaption>${escaped(chart.title)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" font-size="11" role="img" aria-label="${escaped(chart.title)}">
<path d="M${LEFT} 8V${HEIGHT - BOTTOM}H${WIDTH - 8}" stroke="#57606a" fill="none"/>${diagonal}${drawn.join('')}
${text(LEFT - 6, 16, 'end', short(top))}${text(LEFT - 6, HEIGHT - BOTTOM, 'end', short(bottom))}
${text(LEFT, HEIGHT - BOTTOM + 14, 'start', short(told(left)))}${text(WIDTH - 8, HEIGHT - BOTTOM + 14, 'end', short(told(right)))}
${text(WIDTH / 2, HEIGHT - 6, 'middle', `${escaped(chart.x)}${chart.y === '' ? '' : ` → ${escaped(chart.y)}`}: ${names}`)}
</svg></figure>`
}

type Place = readonly [number, number]

function draw(
  { points, band, marks }: ChartLine,
  colour: string,
  path: (points: readonly Place[]) => string,
  place: (point: Place) => Place
): string {
  if (marks !== undefined) return points.map((point, i) => mark(place(point), colour, marks[i] ?? '')).join('')
  const line = `<path d="${path(points)}" stroke="${colour}" stroke-width="1.5" fill="none"/>`
  if (band === undefined) return line
  const at = (i: number) => points[i]?.[0] ?? 0
  const around = [...band.map(([, high], i) => [at(i), high] as const), ...band.map(([low], i) => [at(i), low] as const).reverse()]
  return `<path d="${path(around)}Z" fill="${colour}" opacity=".15"/>${line}`
}

function mark([x, y]: Place, colour: string, name: string): string {
  const [cx, cy] = [x.toFixed(1), y.toFixed(1)]
  const side = x > WIDTH / 2 ? `x="${(x - 5).toFixed(1)}" text-anchor="end"` : `x="${(x + 5).toFixed(1)}"`
  return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/><text ${side} y="${cy}" fill="${colour}">${escaped(name)}</text>`
}

/** Never the same: a picture has a width. */
function ends(values: readonly number[]): [number, number] {
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  return least < most ? [least, most] : [least - 1, least + 1]
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
