import { Contention } from '../../predict/contention.js'
import type { ContentionEvent } from '../../predict/contention-events.js'
import { CLOUDPHYSICS, diskRequests } from '../cloudphysics.js'
import { type LockRequest, scaleFor, simulate } from '../locks.js'
import { NEZHA, nezhaSpans, type Span } from '../nezha.js'
import { brierSkill, calibration, calibrationError } from '../scores.js'
import type { Chart, Measure, Suite } from '../suite.js'
import { LockRivals } from '../lock-rivals.js'

/** Part of the requests that waits. */
const WAITING = 0.1
const BINS = 15
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
  title: 'whether a request for a lock will wait, asked at the last moment and 100 ms before, of a disk’s extents and of a shop’s operations',
  settings:
    'holds are scaled so that 10 % of the requests of each trace wait; bins and rates as for cloudphysics, the rest set on the training parts; it goes on learning in the rest',
  needs: [CLOUDPHYSICS, NEZHA],
  async run({ data, progress }) {
    const disk = await diskRequests(data)
    const extents: LockRequest[] = disk.map(({ key, time, bytes, isWrite }) => ({
      element: `extent ${key}`,
      workflow: isWrite ? 'write' : 'read',
      mode: isWrite ? 'exclusive' : 'shared',
      tier: isWrite ? INTERACTIVE : BACKGROUND,
      time,
      hold: bytes
    }))
    const first = judge(extents, TRAINED_MS, part => progress(part / 3))
    const { all, trained } = await nezhaSpans(data)
    const second = judge(operationsOf(all), trained, part => progress((1 + 2 * part) / 3))
    const results = [...resultsOf(CLOUDPHYSICS, first), ...resultsOf(NEZHA, second)]
    return { measures: results.flatMap(({ measures }) => measures), charts: results.map(({ chart }) => chart) }
  }
}

/** What happened of the requests, and what was said of each, by lead. */
export interface JudgedLocks {
  readonly happened: number[]
  readonly said: Map<number, Map<string, number[]>>
}

/** An operation of a service is exclusive for as long as the span took; its workflow is the first operation behind the gateway. */
function operationsOf(all: readonly Span[]): LockRequest[] {
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
  const { events, waited } = eventsOf(requests, scale)
  const [model, rivals] = [new Contention(), new LockRivals()]
  const happened: number[] = []
  const said = new Map(LEADS_MS.map(lead => [lead as number, new Map<string, number[]>()]))
  const say = (lead: number, name: string, probability: number) => {
    const row = said.get(lead)?.get(name) ?? []
    if (row.push(probability) === 1) said.get(lead)?.set(name, row)
  }
  /** by lead, the request that is asked about next */
  const next = LEADS_MS.map(() => 0)
  const ask = (which: number, before: number, isInclusive: boolean) => {
    const lead = LEADS_MS[which] as number
    for (; (next[which] as number) < requests.length; next[which] = (next[which] as number) + 1) {
      const place = next[which] as number
      const { element, workflow, mode, tier, time } = requests[place] as LockRequest
      const now = time - lead
      if (isInclusive ? now > before : now >= before) return
      if (time < from) {
        rivals.learn(element, mode, now, lead, (waited[place] as number) > 0)
        continue
      }
      say(lead, 'forelock', model.probability({ needs: [{ element, mode }], workflow, tier, now, at: time }).probability)
      for (const [name, probability] of rivals.score(element, mode, now, lead)) say(lead, name, probability)
      if (lead === 0) happened.push((waited[place] as number) > 0 ? 1 : 0)
    }
  }
  for (const [i, event] of events.entries()) {
    for (const [which, lead] of LEADS_MS.entries()) {
      // At the last moment: all that was over by then, and each request before its own event.
      if (lead > 0) ask(which, event.time, false)
      else if (event.event !== 'end' && event.id === next[which]) ask(which, event.time, true)
    }
    model.record([event])
    rivals.record(event)
    if (i % 4_096 === 0) progress(i / events.length)
  }
  progress(1)
  return { happened, said }
}

function eventsOf(requests: readonly LockRequest[], scale: number): { events: (ContentionEvent & { id: number })[]; waited: Float64Array } {
  const events: (ContentionEvent & { id: number })[] = []
  const about = (id: number) => {
    const { element, workflow, mode, tier, time } = requests[id] as LockRequest
    return { asked: time, fields: { element, workflow, mode, tier, id } }
  }
  const waited = simulate(requests, scale, {
    request: id => {
      const { asked, fields } = about(id)
      events.push({ event: 'request', time: asked, ...fields })
    },
    grant: (id, time) => {
      const { asked, fields } = about(id)
      events.push({ event: 'grant', time, waited: time - asked, ...fields })
    },
    end: (id, time) => {
      const { fields } = about(id)
      events.push({ event: 'end', time, held: scale * (requests[id] as LockRequest).hold, ...fields })
    }
  })
  return { events, waited }
}

function resultsOf(trace: string, { happened, said }: JudgedLocks): { measures: Measure[]; chart: Chart }[] {
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
    const when = lead === 0 ? 'at the last moment' : `${lead} ms before`
    return {
      measures: [
        { id: `${name}-brier-skill`, unit: '', value: brierSkill(happened, ours), rivals: skills, must: { atLeast: Number(best.toPrecision(4)) } },
        { id: `${name}-ece`, unit: '', value: error(happened, ours), rivals: rivals(error) }
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
