import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Known, PlainLogistic, PooledHazard, poisson, poissonLately, remember } from '../../../lib/backtest/key-rivals.js'
import { seeded } from '../predict/series.js'

/** One key at random, one in ten seconds on average, and one each ten seconds to the moment. */
function world(judge: (known: Known, now: number, came: boolean, key: bigint) => void): void {
  const random = seeded(2)
  const known = new Map<bigint, Known>()
  let [next, steady] = [5_000, 3_000]
  for (let now = 0; now < 20_000_000; now += 500) {
    while (next < now) {
      remember(known, 1n, next)
      next += -10_000 * Math.log(1 - random())
    }
    for (; steady < now; steady += 10_000) remember(known, 2n, steady)
    for (const [key, one] of known) if (one.count >= 2) judge(one, now, (key === 1n ? next : steady) < now + 500, key)
  }
}

test('Poisson has the rate of a key', () => {
  let [sum, lately, count] = [0, 0, 0]
  world((one, now, _, key) => {
    if (key !== 1n || one.count < 50) return
    sum += poisson(one, now, 500)
    lately += poissonLately(one, now, 500)
    count++
  })
  const expected = 1 - Math.exp(-0.05)
  assert.ok(Math.abs(sum / count / expected - 1) < 0.1, `${sum / count}`)
  assert.ok(Math.abs(lately / count / expected - 1) < 0.3, `${lately / count}`)
})

test('the pooled hazard and the logistic regression say as much as comes, and the hazard rises when a steady key is due', () => {
  for (const model of [new PooledHazard(), new PlainLogistic()]) {
    world((one, now, came) => model.learn(one, now, came))
    if (model instanceof PlainLogistic) model.fit()
    let [said, came, due, fresh] = [0, 0, 0, 0]
    world((one, now, hasCome, key) => {
      const score = model.score(one, now)
      said += score
      came += hasCome ? 1 : 0
      const age = now - (one.times.at(-1) as number)
      if (key === 2n && age > 9_000) due = Math.max(due, score)
      if (key === 2n && age < 500) fresh = Math.max(fresh, score)
    })
    assert.ok(Math.abs(said / came - 1) < 0.05, `${said} ${came}`)
    if (model instanceof PooledHazard) assert.ok(due > fresh, `${due} ${fresh}`)
  }
})

test.run()
