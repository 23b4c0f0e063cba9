import { AsyncResource } from 'node:async_hooks'
import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Attribution, Meter } from '../../../lib/index.js'
import { isCoded, macrotask, rejection, thrown } from '../support.js'
import { burnThread as burn, usageOf } from './support.js'

const SLACK = 10 // ms: what the loop, the hooks and the collector of garbage take

const close = (got: number, want: number) => assert.ok(got >= want && got < want + SLACK, `${got}, not ${want}`)

async function attributed(body: (attribution: Attribution<string>) => unknown) {
  const attribution = new Attribution<string>()
  try {
    await body(attribution)
  } finally {
    attribution.close()
  }
}

/** Burns ms of CPU time so many times, with a wait of another kind after each. */
async function interleaved(ms: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    burn(ms)
    if (i % 4 === 0) await null
    else if (i % 4 === 1) await macrotask()
    else if (i % 4 === 2) await new Promise(resolve => setTimeout(resolve, 1))
    else await new Promise<void>(resolve => process.nextTick(resolve))
  }
}

test('what interleaved promises use is booked to each of their owners', () =>
  attributed(async attribution => {
    const a = attribution.run('a', () => interleaved(2, 12))
    const b = attribution.run('b', () => interleaved(5, 12))
    const nobody = interleaved(3, 12)
    await Promise.all([a, b, nobody])
    close(attribution.cpu('a'), 24)
    close(attribution.cpu('b'), 60)
    assert.ok(attribution.unattributed >= 36, `${attribution.unattributed}, with what the loop takes for all`)
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
    await macrotask().then(async () => {
      attribution.enter('a')
      burn(4)
      await macrotask()
      burn(4)
      attribution.enter('b')
      await null
      burn(7)
    })
    const before = attribution.cpu('b')
    burn(5)
    close(attribution.cpu('a'), 8)
    close(before, 7)
    assert.is(attribution.cpu('b'), before)
  }))

test('run() inside of run() goes back to the outer owner, also when it throws', () =>
  attributed(attribution => {
    attribution.run('outer', () => {
      burn(3)
      const error = thrown(() =>
        attribution.run('inner', () => {
          burn(6)
          throw new RangeError('x')
        })
      )
      assert.instance(error, RangeError)
      burn(3)
    })
    close(attribution.cpu('outer'), 6)
    close(attribution.cpu('inner'), 6)
  }))

test('a callback that runs within another is booked to whom it belongs, and what follows to the outer', () =>
  attributed(attribution => {
    const resource = attribution.run('inner', () => new AsyncResource('x'))
    attribution.run('outer', () => {
      resource.runInAsyncScope(() => burn(8))
      burn(4)
    })
    close(attribution.cpu('inner'), 8)
    close(attribution.cpu('outer'), 4)
  }))

test('a continuation that throws leaves the others with their owners', () =>
  attributed(async attribution => {
    const failed = attribution.run('a', async () => {
      await null
      burn(3)
      throw new RangeError('x')
    })
    const other = attribution.run('b', () => interleaved(3, 4))
    assert.instance(await rejection(failed), RangeError)
    await other
    close(attribution.cpu('a'), 3)
    close(attribution.cpu('b'), 12)
  }))

test('an owner that ended has no account, and one that never entered has used nothing', () =>
  attributed(attribution => {
    attribution.run('a', () => burn(4))
    close(attribution.end('a'), 4)
    assert.is(attribution.cpu('a'), 0)
    assert.is(attribution.end('nobody'), 0)
    assert.is(attribution.slices('nobody'), 0)
  }))

test('a closed one books nothing more, and says what it had', async () => {
  const attribution = new Attribution<string>()
  const events = new EventTarget()
  const late = attribution.run('a', async () => {
    burn(4)
    await once(events, 'go')
    burn(10)
  })
  attribution.close()
  attribution.close()
  events.dispatchEvent(new Event('go'))
  await late
  close(attribution.cpu('a'), 4)
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
