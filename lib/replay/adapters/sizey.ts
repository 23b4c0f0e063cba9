import { basename } from 'node:path'
import { GiB } from '../../units.js'
import { inBatches, type Trace, type TraceRequest, Whos, type Workload } from '../trace.js'
import { badLine, cellsOf, linesIn } from './lines.js'

const POOL = 'memory'
const CAPACITY = 128 * GiB
const COLUMNS = ['process', 'tag', 'status', 'rchar', 'memory', 'peak_rss', 'realtime', 'submit']
const TIER = 'standard'

/** Tasks of a workflow of Nextflow (Bader et al., "Sizey", CLUSTER 2024), all there from the beginning, which share the memory of a machine. */
export function sizey(file: string): Trace {
  const name = `sizey_${/^trace_(\w+)\.csv/.exec(basename(file))?.[1] ?? 'trace'}`
  let tasks: readonly TraceRequest[] | undefined
  return {
    name,
    title:
      'tasks that are all there at 0, first come, first served, in 128 GiB; each is granted the memory that the policy says, and done again with twice as much where that was too little',
    scales: false,
    async workload(): Promise<Workload> {
      tasks ??= await read(file)
      const requests = tasks
      return {
        trace: name,
        setting: '100',
        tiers: [TIER],
        pools: [{ name: POOL, capacity: { memory: CAPACITY }, unit: GiB }],
        buckets: [],
        busiest: [],
        sized: true,
        count: requests.length,
        batches: () => inBatches(requests)
      }
    }
  }
}

/** Those that were completed, and of which all is known, in the order in which they were submitted. */
async function read(file: string): Promise<TraceRequest[]> {
  const whos = new Whos()
  const tasks: { submit: number; request: TraceRequest }[] = []
  let at: ReadonlyMap<string, number> | undefined
  for await (const lines of linesIn(file)) {
    for (const line of lines) {
      const row = cellsOf(line)
      if (at === undefined) {
        const absent = COLUMNS.find(column => !row.includes(column))
        if (absent !== undefined) throw badLine(file, 1, `there is no column ${absent}`)
        at = new Map(row.map((column, i) => [column, i]))
        continue
      }
      const columns = at
      const text = (column: string) => row[columns.get(column) as number] ?? ''
      // What was not measured is a dash.
      const number = (column: string) => (/^[\d.]+$/.test(text(column)) ? Number(text(column)) : Number.NaN)
      const [rchar, preset, peak, realtime, submit] = ['rchar', 'memory', 'peak_rss', 'realtime', 'submit'].map(number) as [
        number,
        number,
        number,
        number,
        number
      ]
      if (text('status') !== 'COMPLETED' || ![rchar, preset, peak, realtime, submit].every(Number.isFinite) || peak <= 0) continue
      const request: TraceRequest = {
        time: 0,
        who: whos.of(text('process'), undefined, TIER),
        kind: 'pool',
        thing: POOL,
        amounts: [Math.min(CAPACITY, Math.ceil(preset))],
        shared: false,
        // A task of less than a millisecond took some time, too.
        duration: Math.max(1, realtime),
        input: { rchar, tag: text('tag') },
        peak: [Math.min(CAPACITY, Math.ceil(peak))]
      }
      tasks.push({ submit, request })
    }
  }
  if (tasks.length === 0) throw badLine(file, 1, 'there is no completed task in it')
  return tasks.sort((a, b) => a.submit - b.submit).map(({ request }) => request)
}
