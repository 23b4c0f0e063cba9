import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LockRivals } from '../../../lib/backtest/lock-rivals.js'

const about = { element: 'one', mode: 'exclusive' } as const

function told(): LockRivals {
  const rivals = new LockRivals()
  for (let i = 0; i < 100; i++) {
    const time = 100 * i
    rivals.record({ ...about, event: 'grant', time, waited: 0, id: 2 * i })
    rivals.learn('one', 'exclusive', 0, true)
    rivals.record({ ...about, event: 'request', time: time + 10, id: 2 * i + 1 })
    rivals.record({ ...about, event: 'end', time: time + 20, id: 2 * i })
    rivals.record({ ...about, event: 'grant', time: time + 20, waited: 10, id: 2 * i + 1 })
    rivals.record({ ...about, event: 'end', time: time + 25, id: 2 * i + 1 })
    rivals.learn('one', 'exclusive', 0, false)
  }
  return rivals
}

test('the base rate, the share of time, and what came of such a state', () => {
  const rivals = told()
  const said = new Map(rivals.score('one', 'exclusive', 10_000, 0))
  assert.is(said.get('base rate'), 0.5)
  assert.ok(Math.abs((said.get('share of time held') as number) - 0.25) < 0.01)
  assert.ok((said.get('held now') as number) < 0.01)
  rivals.record({ ...about, event: 'grant', time: 10_000, id: 1_000 })
  assert.ok((new Map(rivals.score('one', 'exclusive', 10_001, 0)).get('held now') as number) > 0.99)
  assert.is(rivals.meanWait, 10)
})

test('of what it does not know it says the base rate', () => {
  const said = new Map(told().score('other', 'shared', 10_000, 0))
  assert.equal([...said.values()], [0.5, 0.5, 0.5])
})

test.run()
