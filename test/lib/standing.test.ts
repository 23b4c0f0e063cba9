import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, open, RetiredError, unlink } from '../../lib/index.js'
import { locks } from '../../lib/lock.js'
import { Standing } from '../../lib/standing.js'
import { isCoded, thrown } from './support.js'

const sessionOf = (gov: Governor) => locks.sessionOf(gov.lock('any'))

test('an arena that was removed is of no more use', async () => {
  const name = `standing-${process.pid}`
  const gov = open({ name, autoEnclose: false })
  const session = sessionOf(gov)
  new Standing(session).look()
  unlink(name, { force: true })
  const error = thrown(() => new Standing(session).look())
  isCoded(error, 'ERR_FORELOCK_RETIRED')
  assert.instance(error, RetiredError)
  await gov.close()
})

test('plans that have ended are taken away by the way', async () => {
  const gov = open({ clock: 'virtual', autoEnclose: false })
  const standing = new Standing(sessionOf(gov))
  gov.plans.write({ kind: 'hold', lock: 'l', tier: 'interactive', until: 10 })
  gov.advance(2_000)
  standing.look()
  assert.equal(gov.plans.list(), [])
  await gov.close()
})

test.run()
