import { type Trace, type TraceRequest, Whos, type Workload } from '../trace.js'
import { badLine, linesIn, numberIn, recordIn } from './lines.js'

const POOL = 'slots'
const TIER = 'standard'
const ONE = [1]
/** As of the traces of azure_llm, of which these are kin. */
const INPUT_MS = 0.2
const OUTPUT_MS = 20
const WHO = new Whos().of('conversation', undefined, TIER)

/** Requests to a language model that keeps what it has read before (Qin et al., "Mooncake", FAST 2025), as slots that each of them holds. */
export function mooncake(file: string): Trace {
  let known: { load: number; count: number } | undefined
  return {
    name: 'mooncake',
    title: `a pool of slots, held ${INPUT_MS} ms for each token that goes in and ${OUTPUT_MS} ms for each that comes out, all of one tier; times are as recorded, in steps of 3 s`,
    scales: true,
    async workload(utilisation): Promise<Workload> {
      known ??= await summaryOf(file)
      const { load, count } = known
      return {
        trace: 'mooncake',
        setting: String(Math.round(100 * utilisation)),
        tiers: [TIER],
        pools: [{ name: POOL, capacity: { slots: Math.max(1, Math.round(load / utilisation)) }, unit: 1 }],
        buckets: [],
        busiest: [],
        sized: false,
        count,
        batches: () => read(file)
      }
    }
  }
}

async function summaryOf(file: string): Promise<{ load: number; count: number }> {
  let [held, count, last] = [0, 0, 0]
  for await (const batch of read(file)) {
    for (const { duration, time } of batch) {
      held += duration
      last = time
    }
    count += batch.length
  }
  if (count === 0) throw badLine(file, 1, 'there is no request in it')
  return { load: last > 0 ? held / last : 1, count }
}

async function* read(file: string): AsyncGenerator<readonly TraceRequest[]> {
  let number = 0
  for await (const lines of linesIn(file)) {
    const batch: TraceRequest[] = []
    for (const line of lines) {
      number++
      if (line === '') continue
      const row = recordIn(file, number, line)
      const [time, input, output] = ['timestamp', 'input_length', 'output_length'].map(name => numberIn(file, number, name, row[name])) as [
        number,
        number,
        number
      ]
      const { hash_ids: blocks } = row
      const first = Array.isArray(blocks) ? Number(blocks[0]) : Number.NaN
      batch.push({
        time,
        who: WHO,
        kind: 'pool',
        thing: POOL,
        amounts: ONE,
        shared: false,
        duration: INPUT_MS * input + OUTPUT_MS * output,
        input: Number.isFinite(first) ? { tokens: input, block: first } : { tokens: input },
        peak: undefined
      })
    }
    if (batch.length > 0) yield batch
  }
}
