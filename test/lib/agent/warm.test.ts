import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { AgentOptions, WarmNotice } from '../../../lib/index.js'
import { open } from '../../../lib/index.js'
import { randomsOf } from '../../../lib/randoms.js'
import { isCoded, rejection, virtual } from '../support.js'

const STEP_MS = 50
const LEARNT_MS = 200_000
const UNTIL_MS = 400_000

interface Lived {
  /** requests after it had learnt, and those of them that had been warmed up for */
  readonly asked: number
  readonly ready: number
  readonly warmed: readonly WarmNotice[]
  readonly status: Awaited<ReturnType<ReturnType<typeof open>['agent']['status']>>
}

/**
 * Twenty locks that are asked for every some seconds, and twenty at random.
 *
 * @param held ms for which a request goes on, where what it needs was made ready and where it was not; default: it is over at once
 */
async function lived(options: AgentOptions, held?: { readonly ready: number; readonly cold: number }): Promise<Lived> {
  const warmed: WarmNotice[] = []
  const ready = new Map<string, number>()
  let time = 0
  const counts = { asked: 0, ready: 0 }
  const onWarm = (key: string, until: number, warm: WarmNotice) => {
    warmed.push(warm)
    ready.set(key, time + until)
  }
  const gov = open({ clock: 'virtual', autoEnclose: false, predict: { onWarm, ...options } })
  const random = randomsOf(1)
  const plans = Array.from({ length: 40 }, (_, i) => ({
    name: `${i % 2 === 0 ? 'often' : 'random'}:${i}`,
    at: 100 * i,
    every: 3000 + 100 * i
  }))
  let ends: { readonly at: number; end(): unknown }[] = []
  for (; time < UNTIL_MS; time += STEP_MS) {
    for (const { at, end } of ends) if (at <= time) end()
    ends = ends.filter(({ at }) => at > time)
    for (const one of plans) {
      if (one.at > time) continue
      const grant = gov.lock(one.name).tryAcquire({ tier: 'interactive' })
      const isReady = (ready.get(one.name) ?? -1) >= time
      if (held === undefined) grant?.release()
      else ends.push({ at: time + (isReady ? held.ready : held.cold), end: () => grant?.release() })
      const isOften = one.name.startsWith('often')
      if (isOften && time > LEARNT_MS) {
        counts.asked++
        if (isReady) counts.ready++
      }
      one.at = time + (isOften ? one.every : -3 * Math.log(1 - random()) * one.every)
    }
    gov.advance(STEP_MS)
    await turn()
  }
  const status = await gov.agent.status()
  await gov.close()
  return { ...counts, warmed, status }
}

test('what comes regularly is warmed up before it comes, what comes at random rarely, and its use is scored', async () => {
  const { asked, ready, warmed, status } = await lived({})
  assert.ok(ready > 0.6 * asked, `${ready} of ${asked} were ready`)
  const late = warmed.slice(warmed.length >> 1)
  const often = late.filter(({ what }) => what.startsWith('often')).length
  assert.ok(often > 2 * (late.length - often), `${often} of ${late.length} come regularly`)
  const warm = status?.warm
  assert.is(warm?.called, warmed.length)
  assert.is(warm?.written, warmed.length)
  assert.ok((warm?.used ?? 0) > 500 && (warm?.reclaimed ?? 0) > 0)
  assert.is(warm?.precision, (warm?.used ?? 0) / ((warm?.used ?? 0) + (warm?.reclaimed ?? 0)))
})

test('what warming up brings is measured by those that were left alone, and what makes requests longer is given up', async () => {
  const useful = (await lived({ control: 0.2 }, { ready: 50, cold: 300 })).status?.warm
  // What is asked for a moment after it was fetched for another reason is as fast.
  assert.ok(useful?.worth.on && useful.worth.effect.low > 100 && useful.worth.control > 30, JSON.stringify(useful?.worth))
  const harmful = (await lived({ control: 0.2 }, { ready: 300, cold: 50 })).status?.warm
  // It may just have been tried again: then there is no interval yet.
  assert.ok((harmful?.worth.effect.mean ?? 0) < -100, JSON.stringify(harmful?.worth))
  assert.ok((harmful?.written ?? 0) < 0.6 * (useful?.written ?? 0), `${harmful?.written} of ${useful?.written}`)
})

test('a higher threshold warms up less, and more of that is used; with false nothing is', async () => {
  const [low, high, none] = [await lived({}), await lived({ warm: { threshold: 0.6 } }), await lived({ warm: false })]
  assert.ok((high.status?.warm?.written ?? 0) < (low.status?.warm?.written ?? 0))
  assert.ok((high.status?.warm?.precision ?? 0) > (low.status?.warm?.precision ?? 1) + 0.1)
  assert.equal([none.warmed.length, none.status?.warm], [0, undefined])
})

test('a call that fails stops nothing', async () => {
  const warned = once(process, 'warning')
  const { status } = await lived({
    onWarm: () => {
      throw new Error('no such cache')
    }
  })
  const [warning] = (await warned) as [Error & { code?: string }]
  assert.is(warning.code, 'FORELOCK_WARM')
  assert.is(status?.active, true)
  assert.ok((status?.warm?.failed ?? 0) > 100)
  assert.is(status?.warm?.failed, status?.warm?.called)
})

test('calls reach whoever started it from the thread in which it learns', async () => {
  const gov = open()
  const told: string[] = []
  const said = new Promise<void>(resolve => {
    const onWarm = (key: string) => {
      if (told.push(key) === 1) resolve()
    }
    // Anything that has ever been asked for, as soon as it is cold.
    gov.agent.start({ period: 5, onWarm, warm: { threshold: 0, cold: 1, most: 1 } }).catch(assert.unreachable)
  })
  const asking = setInterval(() => gov.lock('often').tryAcquire()?.release(), 20)
  await said
  clearInterval(asking)
  assert.is(told[0], 'often')
  await gov.agent.stop()
  await gov.close()
})

test('more times than scores can be learnt for are refused when it starts', async () => {
  const gov = virtual()
  for (const within of [100, 200, 300]) await gov.foresight.likely({ within })
  isCoded(await rejection(gov.agent.start({ warm: { within: 400 } })), 'ERR_FORELOCK_ARGUMENT')
  await gov.agent.start({ warm: { within: 300 } })
  isCoded(await rejection(gov.agent.start({ onWarm: 1 as unknown as () => void })), 'ERR_FORELOCK_ARGUMENT')
  await gov.close()
})

test.run()
