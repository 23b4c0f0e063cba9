import { Sequences } from '../../predict/sequences.js'
import { NEZHA, nezhaSpans, type Span } from '../nezha.js'
import { calibration, calibrationError } from '../scores.js'
import type { Measure, Suite } from '../suite.js'

const TOLD = 3
const BINS = 15
const TICKS = 2_000

/** Spans within traces: which one begins next. */
export const nezhaNext: Suite = {
  name: 'nezha-next',
  title: 'which of 244 operations begins next in a trace, in those traces of a shop of 46 services that began in the last 30 % of time',
  settings: 'order set on the first 70 % of time, from 11:00 on; it goes on learning in the rest, as do the others',
  needs: [NEZHA],
  async run({ data, progress }) {
    const { all, trained } = await nezhaSpans(data)
    const { rows, certain } = judge(all, trained, Number.POSITIVE_INFINITY, progress)
    const [ours, ...others] = rows
    const measure = (id: 'top1' | 'top3', atLeast: number): Measure => ({
      id,
      unit: '',
      value: (ours as Row)[id],
      rivals: Object.fromEntries(others.map(row => [row.name, row[id]])),
      must: { atLeast }
    })
    const { happened, said } = certain
    return {
      measures: [
        measure('top1', 0.92),
        measure('top3', 0.98),
        { id: 'ece', unit: '', value: calibrationError(happened, said, BINS), note: 'of the probability of the one that is told first' }
      ],
      charts: [
        {
          title: 'how likely the first one was said to be, and how often it was',
          x: 'said',
          y: 'happened',
          square: true,
          lines: [{ name: 'forelock', points: calibration(happened, said, BINS).map(bin => [bin.said, bin.happened]) }]
        }
      ]
    }
  }
}

interface Row {
  readonly name: string
  readonly top1: number
  readonly top3: number
}

/** Learns from traces in the order of their spans, and is judged on those that begin between two times, on all of their spans but the first. */
export function judge(
  all: readonly Span[],
  from: number,
  to: number,
  progress: (part: number) => void
): { rows: Row[]; certain: { happened: number[]; said: number[] } } {
  const model = new Sequences()
  const rivals = [1, 2].map(order => new Markov(order))
  const hits = [model, ...rivals].map(() => ({ first: 0, three: 0 }))
  const certain = { happened: [] as number[], said: [] as number[] }
  const traces = new Map<string, { began: number; items: string[] }>()
  const each = Math.ceil(all.length / TICKS)
  for (const [i, { trace, operation, time }] of all.entries()) {
    const one = traces.get(trace) ?? { began: time, items: [] }
    traces.set(trace, one)
    if (one.items.length > 0 && one.began >= from && one.began < to) {
      const next = model.nextOf(trace, TOLD)
      certain.happened.push(next[0]?.item === operation ? 1 : 0)
      certain.said.push(next[0]?.probability ?? 0)
      const told = [next.map(({ item }) => item), ...rivals.map(rival => rival.next(one.items, TOLD))]
      for (const [who, items] of told.entries()) count(hits[who] as { first: number; three: number }, items, operation)
    }
    model.record([{ run: trace, item: operation, time }])
    for (const rival of rivals) rival.learn(one.items, operation)
    one.items.push(operation)
    if ((i + 1) % each === 0 || i + 1 === all.length) progress((i + 1) / all.length)
  }
  const judged = certain.said.length
  const names = ['forelock', 'order-1 Markov', 'order-2 Markov']
  return { rows: hits.map(({ first, three }, i) => ({ name: names[i] as string, top1: first / judged, top3: three / judged })), certain }
}

function count(hits: { first: number; three: number }, told: readonly string[], came: string): void {
  if (told[0] === came) hits.first++
  if (told.includes(came)) hits.three++
}

/** Counts behind the last steps; behind ones never seen, those behind fewer. */
class Markov {
  private readonly counts: Map<string, Map<string, number>>[]

  constructor(private readonly order: number) {
    this.counts = Array.from({ length: order + 1 }, () => new Map())
  }

  learn(before: readonly string[], item: string): void {
    for (let order = 0; order <= Math.min(this.order, before.length); order++) {
      const counts = this.counts[order] as Map<string, Map<string, number>>
      const context = contextOf(before, order)
      const behind = counts.get(context) ?? new Map<string, number>()
      counts.set(context, behind.set(item, (behind.get(item) ?? 0) + 1))
    }
  }

  next(before: readonly string[], most: number): string[] {
    for (let order = Math.min(this.order, before.length); order >= 0; order--) {
      const behind = this.counts[order]?.get(contextOf(before, order))
      if (behind === undefined) continue
      const best = [...behind].sort(([, a], [, b]) => b - a)
      return best.slice(0, most).map(([item]) => item)
    }
    return []
  }
}

function contextOf(before: readonly string[], order: number): string {
  return before.slice(before.length - order).join('\n')
}
