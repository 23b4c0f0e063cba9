import { linesOf } from '../../backtest/archive.js'
import { inBatches, type Trace, type TraceRequest, Whos, type Workload } from '../trace.js'
import { badLine, cellsOf } from './lines.js'

const COLUMNS = 8
const HEADING = 'TraceID'
/** What Kubernetes puts behind the name of a deployment: the hash of its template, and of the pod. */
const POD = /-[0-9a-f]{6,10}-[0-9a-z]{5}$/
const GATEWAY = /gateway/
/** What the shop must not keep its customers waiting with: to pay, to book, to travel. */
const INTERACTIVE = /payment|preserve|execute/i
const TIERS = ['background', 'interactive']
const SECOND_DIGITS = 10
/** ms without a span after which nothing was recorded: minutes were, some of each quarter of an hour. */
const UNRECORDED_MS = 30_000
/** Tokens that come, by tokens that are asked for. */
const ROOM = 1.2
const ONE = [1]

interface Span {
  readonly trace: string
  readonly service: string
  readonly operation: string
  readonly time: number
  readonly duration: number
}

/** Spans of a train ticket shop (Nezha, Yu et al., ESEC/FSE 2023), each of which takes a token of its service. */
export function nezha(archive: string): Trace {
  let workload: Workload | undefined
  return {
    name: 'nezha',
    title: `a bucket for each service with ${ROOM} times its mean rate while there was recorded, and a burst of a second; interactive is what begins with payment, preserve or execute behind the gateway`,
    scales: false,
    async workload() {
      workload ??= await made(archive)
      return workload
    }
  }
}

async function made(archive: string): Promise<Workload> {
  const spans = await read(archive)
  const begins = new Map<string, string>()
  for (const { trace, service, operation } of spans) {
    if (!GATEWAY.test(service) && !begins.has(trace)) begins.set(trace, `${service} ${operation}`)
  }
  const whos = new Whos()
  const first = (spans[0] as Span).time
  const requests = spans.map(({ trace, service, operation, time, duration }): TraceRequest => {
    const tier = INTERACTIVE.test(begins.get(trace) ?? '') ? 'interactive' : 'background'
    // A reserve of tokens is for a workflow or a tenant: those of a tier are one tenant.
    const who = whos.of(`${service} ${operation}`, tier, tier)
    return {
      time: time - first,
      who,
      kind: 'bucket',
      thing: service,
      amounts: ONE,
      shared: false,
      duration,
      input: undefined,
      peak: undefined
    }
  })
  const counts = new Map<string, number>()
  for (const { service } of spans) counts.set(service, (counts.get(service) ?? 0) + 1)
  const seconds = recordedMs(spans) / 1000
  return {
    trace: 'nezha',
    setting: String(Math.round(100 / ROOM)),
    tiers: TIERS,
    pools: [],
    buckets: [...counts].map(([name, count]) => ({ name, rate: (ROOM * count) / seconds })),
    busiest: [],
    sized: false,
    count: requests.length,
    batches: () => inBatches(requests)
  }
}

/** Its files are in no order, so all of it is in memory. */
async function read(archive: string): Promise<Span[]> {
  const names = new Map<string, string>()
  const once = (name: string) => {
    const known = names.get(name)
    if (known === undefined) names.set(name, name)
    return known ?? name
  }
  const seen = new Set<string>()
  const spans: Span[] = []
  let number = 0
  let base = Number.NaN
  await linesOf(archive, '*/trace/*.csv', line => {
    number++
    // TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration
    const cells = cellsOf(line)
    const [trace, span, , pod, operation, began, ended] = cells as [string, string, string, string, string, string, string]
    if (trace === HEADING || line === '') return
    if (cells.length < COLUMNS || !/^\d{19}$/.test(began) || !/^\d{19}$/.test(ended)) {
      throw badLine(
        archive,
        number,
        'it is no span: TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration'
      )
    }
    // Some traces stand in two files.
    if (seen.has(span + trace)) return
    seen.add(span + trace)
    // In two parts: nanoseconds since 1970 have more digits than a double.
    const msOf = (stamp: string) => (Number(stamp.slice(0, SECOND_DIGITS)) - base) * 1e3 + Number(stamp.slice(SECOND_DIGITS)) / 1e6
    if (Number.isNaN(base)) base = Number(began.slice(0, SECOND_DIGITS))
    const time = msOf(began)
    const duration = Math.max(0, msOf(ended) - time)
    spans.push({ trace: once(trace), service: once(pod.replace(POD, '')), operation: once(operation), time, duration })
  })
  if (spans.length === 0) throw badLine(archive, number, 'there is no span in it')
  return spans.sort((a, b) => a.time - b.time)
}

function recordedMs(spans: readonly Span[]): number {
  let recorded = 0
  for (let i = 1; i < spans.length; i++) {
    const gap = (spans[i] as Span).time - (spans[i - 1] as Span).time
    if (gap <= UNRECORDED_MS) recorded += gap
  }
  return Math.max(1, recorded)
}
