import { SCARCE } from '../drivers/driver.js'
import type { Kind } from './kind.js'
import { myStarter, startHelper } from './peers.js'

const NS_PER_TOKEN = 1e9 / SCARCE.rate
/** ns between two tries of a process from which on it counts as not asking: it was not let run, or cleans its memory */
const ABSENT_NS = 20_000

/** ns on the clock of the host */
interface Asked {
  /** right before and right after each token was taken */
  admitted: [before: number, after: number][]
  absences: [from: number, until: number][]
}

/**
 * `count` processes that do nothing but try to take tokens from one bucket. `value`: which part of rate x time they were not admitted, without the
 * time in which a token was there and none of them was let run to ask for it; `over`: by how many tokens they were above
 * rate x time + burst in any span of time. 0 where there are none. Time is from the first token to the last.
 */
export const scarcity: Kind = async ({ job }) => {
  const helpers = Array.from({ length: Number(job.params.count) }, () => startHelper({ ...job, kind: 'scarcityMember' }))
  await Promise.all(helpers.map(helper => helper.next()))
  const answers = helpers.map(helper => helper.next() as Promise<Asked>)
  for (const helper of helpers) helper.send('go')
  const all = await Promise.all(answers)
  await Promise.all(helpers.map(helper => helper.stop()))

  const taken = all.flatMap(member => member.admitted)
  const admitted = taken.map(([, after]) => after).sort((a, b) => a - b)
  if (admitted.length < 2) throw new Error('hardly a token was taken')
  const time = (admitted.at(-1) as number) - (admitted[0] as number)
  const unasked = unaskedOf(admitted, all.map(member => member.absences).reduce(common))
  // The first token was there before.
  const missing = 1 - ((admitted.length - 1) * NS_PER_TOKEN) / (time - unasked)
  return {
    series: { value: [Math.max(0, missing)], over: [overOf(taken)] },
    notes: {
      admitted: `${admitted.length} in ${(time / 1e9).toFixed(3)} s, ${((admitted.length * NS_PER_TOKEN) / time).toFixed(5)} x rate x time`,
      'nobody asked for': `${(unasked / 1e6).toFixed(1)} ms`
    }
  }
}

/** The most tokens that were surely taken within any span of time above rate x time + burst; 0 if never. */
function overOf(taken: Asked['admitted']): number {
  const inOrder = taken.sort(([a], [b]) => a - b)
  let most = 0
  for (let first = 0; first < inOrder.length; first++) {
    const from = inOrder[first]?.[0] as number
    let until = 0
    for (let last = first; last < inOrder.length; last++) {
      until = Math.max(until, inOrder[last]?.[1] as number)
      most = Math.max(most, last - first + 1 - (until - from) / NS_PER_TOKEN - SCARCE.burst)
    }
  }
  return most
}

/** What is in both of two lists of spans. */
function common(a: Asked['absences'], b: Asked['absences']): Asked['absences'] {
  const both: Asked['absences'] = []
  let [i, j] = [0, 0]
  for (let one = a[i], other = b[j]; one !== undefined && other !== undefined; one = a[i], other = b[j]) {
    const [from, until] = [Math.max(one[0], other[0]), Math.min(one[1], other[1])]
    if (from < until) both.push([from, until])
    if (one[1] < other[1]) i++
    else j++
  }
  return both
}

/** ns in which a token was there and nobody could ask: between when it was due and when it was taken. */
function unaskedOf(admitted: readonly number[], absences: Asked['absences']): number {
  const waits = admitted.slice(1).map((at, i): [number, number] => [(admitted[i] as number) + NS_PER_TOKEN, at])
  const late = waits.filter(([due, at]) => due < at)
  return common(late, absences).reduce((sum, [from, until]) => sum + until - from, 0)
}

export const scarcityMember: Kind = async ({ job, connect }) => {
  const driver = await connect()
  const { scarce } = driver
  if (scarce === undefined) throw new Error(`${job.driver} has no bucket for several processes`)

  function ask(ms: number): Asked {
    let now = Number(process.hrtime.bigint())
    const asked: Asked = { admitted: [], absences: [[0, now]] }
    const end = now + ms * 1e6
    while (now < end) {
      const before = now
      const got = scarce!(1)
      now = Number(process.hrtime.bigint())
      if (got === 1) asked.admitted.push([before, now])
      if (now - before > ABSENT_NS) asked.absences.push([before, now])
    }
    asked.absences.push([now, Number.MAX_VALUE])
    return asked
  }

  const starter = myStarter()
  starter.listen(() => {
    ask(job.quick ? 50 : 200)
    starter.send(ask(job.quick ? 2_000 : 10_000))
  })
  starter.send('ready')
  await starter.stopped
  await driver.close()
  return { series: {} }
}
