import { basename } from 'node:path'
import { type Trace, type TraceRequest, type Who, Whos, type Workload } from '../trace.js'
import { badLine, cellsOf, linesIn, numberIn } from './lines.js'
import { merged } from './merge.js'

const POOL = 'slots'
const CONTEXT_MS = 0.2
const GENERATED_MS = 20
const HEADING = 'TIMESTAMP,ContextTokens,GeneratedTokens'
const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$/
const MINUTE_LENGTH = '2023-11-16 18:17:'.length
/** Short requests that come in bursts, and long ones (Patel et al., "Splitwise", ISCA 2024). */
const TIERS: Readonly<Record<string, string>> = { code: 'interactive', conv: 'background' }

export interface AzureOptions {
  /** whether both services start at 0, or as they did; default true */
  readonly aligned?: boolean | undefined
}

/** Requests to two language models, as slots that each of them holds for as long as its tokens take. */
export function azureLlm(files: readonly string[], { aligned = true }: AzureOptions = {}): Trace {
  const whos = new Whos()
  const sources = files.map(file => {
    const service = /_(\w+)\.csv$/.exec(basename(file))?.[1] ?? basename(file)
    return { file, who: whos.of(service, undefined, TIERS[service] ?? 'standard') }
  })
  let known: Summary | undefined
  return {
    name: 'azure_llm',
    title: `a pool of slots, held ${CONTEXT_MS} ms for each token of the context and ${GENERATED_MS} ms for each that is generated; code is interactive, conv background`,
    scales: true,
    async workload(utilisation): Promise<Workload> {
      known ??= await summaryOf(sources)
      const { load, count, starts } = known
      const first = aligned ? undefined : Math.min(...starts)
      return {
        trace: 'azure_llm',
        setting: String(Math.round(100 * utilisation)),
        tiers: ['background', 'standard', 'interactive'].filter(tier => sources.some(({ who }) => who.tier === tier)),
        pools: [{ name: POOL, capacity: { slots: Math.max(1, Math.round(load / utilisation)) }, unit: 1 }],
        buckets: [],
        busiest: [],
        sized: false,
        count,
        batches: () => merged(sources.map(({ file, who }, i) => read(file, who, first ?? (starts[i] as number))))
      }
    }
  }
}

interface Summary {
  /** slots that are held on average, from 0 to the last arrival */
  readonly load: number
  readonly count: number
  /** when each source starts, ms since 1970 */
  readonly starts: readonly number[]
}

async function summaryOf(sources: readonly { readonly file: string; readonly who: Who }[]): Promise<Summary> {
  let [held, count, length] = [0, 0, 0]
  const starts: number[] = []
  for (const { file, who } of sources) {
    let start: number | undefined
    for await (const batch of read(file, who, 0)) {
      start ??= batch[0]?.time
      for (const { duration } of batch) held += duration
      count += batch.length
      length = Math.max(length, (batch.at(-1)?.time ?? 0) - (start ?? 0))
    }
    if (start === undefined) throw badLine(file, 1, 'there is no request in it')
    starts.push(start)
  }
  return { load: held / length, count, starts }
}

async function* read(file: string, who: Who, start: number): AsyncGenerator<readonly TraceRequest[]> {
  const clock = new Clock()
  let number = 0
  let last = Number.NEGATIVE_INFINITY
  for await (const lines of linesIn(file)) {
    const batch: TraceRequest[] = []
    for (const line of lines) {
      number++
      if (number === 1) {
        if (line !== HEADING) throw badLine(file, 1, `the columns are not ${HEADING}`)
        continue
      }
      if (line === '') continue
      const [timestamp = '', context, generated] = cellsOf(line)
      const time = clock.at(file, number, timestamp)
      if (time < last) throw badLine(file, number, 'it is earlier than the line before')
      last = time
      const tokens = numberIn(file, number, 'ContextTokens', context)
      const duration = CONTEXT_MS * tokens + GENERATED_MS * numberIn(file, number, 'GeneratedTokens', generated)
      if (!(duration >= 0)) throw badLine(file, number, 'less than no tokens')
      batch.push({
        time: time - start,
        who,
        kind: 'pool',
        thing: POOL,
        amounts: ONE,
        shared: false,
        duration,
        input: { tokens },
        peak: undefined
      })
    }
    if (batch.length > 0) yield batch
  }
}

const ONE = [1]

/** Parses the minute once for all that come in it. */
class Clock {
  private minute = ''
  private began = 0

  /** ms since 1970 */
  at(file: string, line: number, text: string): number {
    if (!text.startsWith(this.minute) || this.minute === '') {
      if (!TIMESTAMP.test(text)) throw badLine(file, line, `TIMESTAMP is ${JSON.stringify(text)}, not as 2023-11-16 18:17:03.9799600`)
      this.minute = text.slice(0, MINUTE_LENGTH)
      this.began = Date.parse(`${this.minute.replace(' ', 'T')}00Z`)
    }
    return this.began + numberIn(file, line, 'TIMESTAMP', text.slice(MINUTE_LENGTH)) * 1000
  }
}
