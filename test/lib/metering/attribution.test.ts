import { AsyncResource } from 'node:async_hooks'
import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Attribution, Meter } from '../../../lib/index.js'
import { isCoded, macrotask, rejection, thrown } from '../support.js'
import { Burner, usageOf } from './support.js'

let burner = new Burner()
const burn = (ms: number) => burner.burn(ms)

/** What was burnt for an account is on it, and no more than that and what the loop, the hooks and the collector of garbage took. */
function close(got: number, burnt: number): void {
  const most = burnt + burner.besides
  assert.ok(got >= burnt && got <= most, `${got}, not ${burnt} to ${most}`)
}

async function attributed(body: (attribution: Attribution<string>) => unknown) {
  burner = new Burner()
  const attribution = new Attribution<string>()
  try {
    await body(attribution)
  } finally {
    attribution.close()
  }
}

/** Burns ms of CPU time so many times, with a wait of another kind after each; all that was burnt. */
async function interleaved(ms: number, times: number): Promise<number> {
  let burnt = 0
  for (let i = 0; i < times; i++) {
    burnt += burn(ms)
    if (i % 4 === 0) await null
    else if (i % 4 === 1) await macrotask()
    else if (i % 4 === 2) await new Promise(resolve => setTimeout(resolve, 1))
    else await new Promise<void>(resolve => process.nextTick(resolve))
  }
  return burnt
}

test('what interleaved promises use is booked to each of their owners', () =>
  attributed(async attribution => {
    const a = attribution.run('a', () => interleaved(2, 12))
    const b = attribution.run('b', () => interleaved(5, 12))
    const nobody = interleaved(3, 12)
    const [burntByA, burntByB, rest] = await Promise.all([a, b, nobody])
    close(attribution.cpu('a'), burntByA)
    close(attribution.cpu('b'), burntByB)
    assert.ok(attribution.unattributed >= rest, `${attribution.unattributed}, with what the loop takes for all`)
    assert.ok(attribution.slices('a') > 1, `${attribution.slices('a')}`)
  }))

test('all accounts together are the CPU time of the thread', () =>
  attributed(async attribution => {
    using thread = new Meter('thread', { level: 'time' })
    const nobody = attribution.unattributed
    const usage = await usageOf(thread, async () => {
      await Promise.all([attribution.run('a', () => interleaved(3, 8)), attribution.run('b', () => interleaved(1, 8))])
    })
    const sum = attribution.cpu('a') + attribution.cpu('b') + attribution.unattributed - nobody
    assert.ok(Math.abs(sum - (usage.cpu as number)) < 1, `${sum} of ${usage.cpu}`)
  }))

test('what is entered lasts through awaits until another is entered', () =>
  attributed(async attribution => {
    const burnt = { a: 0, b: 0 }
    await macrotask().then(async () => {
      attribution.enter('a')
      burnt.a = burn(4)
      await macrotask()
      burnt.a += burn(4)
      attribution.enter('b')
      await null
      burnt.b = burn(7)
    })
    const before = attribution.cpu('b')
    burn(5)
    close(attribution.cpu('a'), burnt.a)
    close(before, burnt.b)
    assert.is(attribution.cpu('b'), before)
  }))

test('run() inside of run() goes back to the outer owner, also when it throws', () =>
  attributed(attribution => {
    const burnt = { outer: 0, inner: 0 }
    attribution.run('outer', () => {
      burnt.outer = burn(3)
      const error = thrown(() =>
        attribution.run('inner', () => {
          burnt.inner = burn(6)
          throw new RangeError('x')
        })
      )
      assert.instance(error, RangeError)
      burnt.outer += burn(3)
    })
    close(attribution.cpu('outer'), burnt.outer)
    close(attribution.cpu('inner'), burnt.inner)
  }))

test('a callback that runs within another is booked to whom it belongs, and what follows to the outer', () =>
  attributed(attribution => {
    const resource = attribution.run('inner', () => new AsyncResource('x'))
    attribution.run('outer', () => {
      const inner = resource.runInAsyncScope(() => burn(8))
      const outer = burn(4)
      close(attribution.cpu('inner'), inner)
      close(attribution.cpu('outer'), outer)
    })
  }))

test('a continuation that throws leaves the others with their owners', () =>
  attributed(async attribution => {
    let burnt = 0
    const failed = attribution.run('a', async () => {
      await null
      burnt = burn(3)
      throw new RangeError('x')
    })
    const other = attribution.run('b', () => interleaved(3, 4))
    assert.instance(await rejection(failed), RangeError)
    const burntByB = await other
    close(attribution.cpu('a'), burnt)
    close(attribution.cpu('b'), burntByB)
  }))

test('an owner that ended has no account, and one that never entered has used nothing', () =>
  attributed(attribution => {
    const burnt = attribution.run('a', () => burn(4))
    close(attribution.end('a'), burnt)
    assert.is(attribution.cpu('a'), 0)
    assert.is(attribution.end('nobody'), 0)
    assert.is(attribution.slices('nobody'), 0)
  }))

test('a closed one books nothing more, and says what it had', async () => {
  burner = new Burner()
  const attribution = new Attribution<string>()
  const events = new EventTarget()
  let burnt = 0
  const late = attribution.run('a', async () => {
    burnt = burn(4)
    await once(events, 'go')
    burn(10)
  })
  attribution.close()
  attribution.close()
  events.dispatchEvent(new Event('go'))
  await late
  close(attribution.cpu('a'), burnt)
  isCoded(
    thrown(() => attribution.enter('a')),
    'ERR_FORELOCK_CLOSED'
  )
  isCoded(
    thrown(() => attribution.run('a', () => 1)),
    'ERR_FORELOCK_CLOSED'
  )
})

test('what is no function is refused', () =>
  attributed(attribution => {
    isCoded(
      thrown(() => attribution.run('a', 5 as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }))

test.run()
