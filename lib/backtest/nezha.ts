import { join } from 'node:path'
import { linesOf } from './archive.js'

/** One operation of a service within a trace, as it began. */
export interface Span {
  readonly trace: string
  /** service and operation, without the number of the pod */
  readonly operation: string
  /** ms from the first one on */
  readonly time: number
  /** ms that it took */
  readonly duration: number
}

export interface Spans {
  /** by the time at which they began; each once */
  readonly all: readonly Span[]
  /** when 70 % of the time was over, ms from the first one on: what came before it is for learning */
  readonly trained: number
}

export const NEZHA = 'nezha'

const ARCHIVE = 'trainticket_2023-01-29.tar.xz'
const TRAINED_PART = 0.7
/** What Kubernetes puts behind the name of a deployment: the hash of its template, and of the pod. */
const POD = /-[0-9a-f]{6,10}-[0-9a-z]{5}$/
const SECOND_DIGITS = 10
/** of a millisecond */
const MICROSECONDS = 1_000

/** Spans of a train ticket shop of 46 services over a day (Nezha, Yu et al., ESEC/FSE 2023), recorded three minutes at a time. */
export async function nezhaSpans(data: string): Promise<Spans> {
  const operations = new Map<string, string>()
  const seen = new Set<string>()
  const found: Span[] = []
  let base = Number.NaN
  await linesOf(join(data, NEZHA, ARCHIVE), '*/trace/*.csv', line => {
    // TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration
    const [trace, span, , pod, operation, began, , took] = line.split(',') as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string
    ]
    // Each file has a heading, and some traces stand in two files.
    if (trace === 'TraceID' || seen.has(span + trace)) return
    seen.add(span + trace)
    const name = `${pod.replace(POD, '')} ${operation}`
    if (!operations.has(name)) operations.set(name, name)
    // In two parts: nanoseconds since 1970 have more digits than a double.
    const second = Number(began.slice(0, SECOND_DIGITS))
    if (Number.isNaN(base)) base = second
    const time = (second - base) * 1e3 + Number(began.slice(SECOND_DIGITS)) / 1e6
    // One file has no end of line at its end, so that the heading of the next one stands behind the number.
    found.push({ trace, operation: operations.get(name) as string, time, duration: Number.parseInt(took, 10) / MICROSECONDS })
  })
  found.sort((a, b) => a.time - b.time)
  const first = found[0]?.time ?? 0
  const all = found.map(span => ({ ...span, time: span.time - first }))
  return { all, trained: TRAINED_PART * (all.at(-1)?.time ?? 0) }
}
