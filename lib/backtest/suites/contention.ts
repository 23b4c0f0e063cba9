import { Contention } from '../../predict/contention.js'
import type { ContentionEvent } from '../../predict/contention-events.js'
import { CLOUDPHYSICS, type DiskRequest, diskRequests } from '../cloudphysics.js'
import { LockRivals } from '../lock-rivals.js'
import { type LockRequest, scaleFor, simulate, waitedFor } from '../locks.js'
import { NEZHA, nezhaSpans, type Span } from '../nezha.js'
import { brierSkill, calibration, calibrationError } from '../scores.js'
import type { Chart, Measure, Suite } from '../suite.js'

/** Part of the requests that waits. */
const WAITING = 0.1
const BINS = 15
const SHORTEST_MS = 0.01
const PROGRESS_EVERY = 1_024
const TRAINED_MS = 3_600_000
/** How long before it is made a request is asked about: at the last moment, and a period of the agent before. */
const LEADS_MS = [0, 100] as const
const INTERACTIVE = 2
const BACKGROUND = 0
const GATEWAY = 'ts-gateway-service '
/** Who pays or books waits for it. */
const INTERACTIVE_SERVICES = /^ts-(?:inside-payment|payment|preserve|preserve-other|execute)-service /

/** Traces as requests for locks: whether one will wait, asked before it is made. */
export const contention: Suite = {
  name: 'contention',
  title:
    'whether a request for a lock will wait, asked at the last moment and 100 ms before, of a disk’s extents and of a shop’s operations',
  settings:
    'holds are scaled so that 10 % of the requests of each trace wait; times ahead, groups and what is forgotten were set within the training parts, after some looks at the rest; it goes on learning there',
  needs: [CLOUDPHYSICS, NEZHA],
  async run({ data, progress }) {
    const first = judge(extentsOf(await diskRequests(data)), TRAINED_MS, part => progress(part / 3))
    const { all, trained } = await nezhaSpans(data)
    const second = judge(operationsOf(all), trained, part => progress((1 + 2 * part) / 3))
    const results = [...resultsOf(CLOUDPHYSICS, first), ...resultsOf(NEZHA, second)]
    const blocks = [...blocksOf(CLOUDPHYSICS, first), ...blocksOf(NEZHA, second)]
    return { measures: [...results.flatMap(({ measures }) => measures), ...blocks], charts: results.map(({ chart }) => chart) }
  }
}

/** What happened of the requests, and what was said of each, by lead. */
export interface JudgedLocks {
  readonly happened: number[]
  readonly said: ReadonlyMap<number, ReadonlyMap<string, number[]>>
  /** of those that waited, by lead: ms, as it was, as it was foretold, and of the waits before on average */
  readonly waits: ReadonlyMap<number, readonly (readonly [truth: number, said: number, mean: number])[]>
  /** whether somebody waits for it, asked at the last moment */
  readonly blocks: { readonly happened: number[]; readonly said: number[] }
}

/** An extent is shared by those who read it, and exclusive to one who writes, for as long as the bytes take. */
export function extentsOf(disk: readonly DiskRequest[]): LockRequest[] {
  return disk.map(({ key, time, bytes, isWrite }) => ({
    element: `extent ${key}`,
    workflow: isWrite ? 'write' : 'read',
    mode: isWrite ? 'exclusive' : 'shared',
    tier: isWrite ? INTERACTIVE : BACKGROUND,
    time,
    hold: bytes
  }))
}

/** An operation of a service is exclusive for as long as the span took; its workflow is the first operation behind the gateway. */
export function operationsOf(all: readonly Span[]): LockRequest[] {
  const workflows = new Map<string, string>()
  for (const { trace, operation } of all) {
    if (!operation.startsWith(GATEWAY) && !workflows.has(trace)) workflows.set(trace, operation)
  }
  return all.map(({ trace, operation, time, duration }) => {
    const workflow = workflows.get(trace) ?? operation
    const tier = INTERACTIVE_SERVICES.test(workflow) ? INTERACTIVE : BACKGROUND
    return { element: operation, workflow, mode: 'exclusive', tier, time, hold: duration }
  })
}

/** Learns from what came before `from`, and is asked of each request from then on, before it is made; it goes on learning. */
export function judge(requests: readonly LockRequest[], from: number, progress: (part: number) => void): JudgedLocks {
  const scale = scaleFor(requests, WAITING)
  const waited = simulate(requests, scale)
  const judge = new LockJudge(requests, waited, waitedFor(requests, waited, scale), from)
  const tell = (event: ContentionEvent['event'], id: number, time: number) => {
    const request = requests[id] as LockRequest
    const { element, workflow, mode, tier } = request
    const [waited, held] = event === 'end' ? [undefined, scale * request.hold] : [time - request.time, undefined]
    judge.tell({ event, element, time, mode, workflow, tier, waited, held, id })
    if (event === 'end' && id % PROGRESS_EVERY === 0) progress(id / requests.length)
  }
  simulate(requests, scale, {
    request: id => tell('request', id, (requests[id] as LockRequest).time),
    grant: (id, time) => tell('grant', id, time),
    end: (id, time) => tell('end', id, time)
  })
  progress(1)
  return judge
}

class LockJudge implements JudgedLocks {
  readonly happened: number[] = []
  readonly said = new Map(LEADS_MS.map(lead => [lead as number, new Map<string, number[]>()]))
  readonly waits = new Map(LEADS_MS.map(lead => [lead as number, [] as [number, number, number][]]))
  readonly blocks = { happened: [] as number[], said: [] as number[] }
  private readonly model = new Contention()
  private readonly rivals = new LockRivals()
  /** by lead, the request that is asked about next */
  private readonly next = LEADS_MS.map(() => 0)

  constructor(
    private readonly requests: readonly LockRequest[],
    private readonly waited: Float64Array,
    private readonly blocking: readonly boolean[],
    private readonly from: number
  ) {}

  tell(event: ContentionEvent & { id: number }): void {
    for (const [which, lead] of LEADS_MS.entries()) {
      if (lead > 0) this.askBefore(which, lead, event.time)
      // At the last moment: what was over by then is known.
      else if (event.event !== 'end' && event.id === this.next[which]) this.ask(which, lead)
    }
    this.model.record([event])
    this.rivals.record(event)
  }

  private askBefore(which: number, lead: number, time: number): void {
    for (let at = this.next[which] as number; at < this.requests.length; at++) {
      if ((this.requests[at] as LockRequest).time - lead >= time) return
      this.ask(which, lead)
    }
  }

  private ask(which: number, lead: number): void {
    const place = this.next[which] as number
    this.next[which] = place + 1
    const { element, workflow, mode, tier, time } = this.requests[place] as LockRequest
    const now = time - lead
    const waits = (this.waited[place] as number) > 0
    if (time < this.from) {
      this.rivals.learn(element, mode, lead, waits)
      return
    }
    const { probability, wait, blocks } = this.model.probability({ needs: [{ element, mode }], workflow, tier, now, at: time })
    this.say(lead, 'forelock', probability)
    if (lead === 0) {
      this.happened.push(waits ? 1 : 0)
      this.blocks.happened.push(this.blocking[place] ? 1 : 0)
      this.blocks.said.push(blocks)
    }
    if (waits) this.waits.get(lead)?.push([this.waited[place] as number, wait, this.rivals.meanWait])
    for (const [name, said] of this.rivals.score(element, mode, now, lead)) this.say(lead, name, said)
  }

  private say(lead: number, name: string, probability: number): void {
    const rows = this.said.get(lead) as Map<string, number[]>
    const row = rows.get(name) ?? []
    if (row.push(probability) === 1) rows.set(name, row)
  }
}

function resultsOf(trace: string, { happened, said, waits }: JudgedLocks): { measures: Measure[]; chart: Chart }[] {
  return [...said].map(([lead, rows]) => {
    const name = lead === 0 ? trace : `${trace}-${lead}ms`
    const ours = rows.get('forelock') as number[]
    const others = [...rows].filter(([whose]) => whose !== 'forelock')
    const rivals = (of: (happened: number[], said: number[]) => number) =>
      Object.fromEntries(others.map(([whose, probabilities]) => [whose, of(happened, probabilities)]))
    const error = (truth: number[], probabilities: number[]) => calibrationError(truth, probabilities, BINS)
    const skills = rivals(brierSkill)
    const best = Math.max(0, skills['base rate'] as number, skills['share of time held'] as number)
    const points = calibration(happened, ours, 50).map(bin => [bin.said, bin.happened] as const)
    const known = waits.get(lead) ?? []
    const when = lead === 0 ? 'at the last moment' : `${lead} ms before`
    return {
      measures: [
        {
          id: `${name}-brier-skill`,
          unit: '',
          value: brierSkill(happened, ours),
          rivals: skills,
          must: { atLeast: Number(best.toPrecision(4)) }
        },
        { id: `${name}-ece`, unit: '', value: error(happened, ours), rivals: rivals(error) },
        {
          id: `${name}-wait-error`,
          unit: 'octaves',
          value: meanError(known, ([truth, foretold]) => octaves(truth, foretold)),
          rivals: { 'mean of the waits before': meanError(known, ([truth, , mean]) => octaves(truth, mean)) },
          note: 'of those that waited; an octave is a factor of two'
        }
      ],
      chart: {
        title: `${trace}, asked ${when}: what was said, and what happened`,
        x: 'said',
        y: 'happened',
        square: true,
        lines: [{ name: 'forelock', points }]
      }
    }
  })
}

function blocksOf(trace: string, { blocks: { happened, said } }: JudgedLocks): Measure[] {
  const note = 'whether another will wait for what it holds'
  return [
    { id: `${trace}-blocks-brier-skill`, unit: '', value: brierSkill(happened, said), must: { atLeast: 0 }, note },
    { id: `${trace}-blocks-ece`, unit: '', value: calibrationError(happened, said, BINS) }
  ]
}

/** ms on a log scale, on which waits of a millisecond count, too; a hundredth of one is none. */
function octaves(truth: number, foretold: number): number {
  return Math.log2((truth + SHORTEST_MS) / (foretold + SHORTEST_MS))
}

function meanError<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + Math.abs(of(one)), 0) / all.length
}
