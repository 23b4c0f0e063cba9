import { inspect } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../lib/index.js'
import { thrown } from './support.js'

const KEY = 'a key that no log is to have'
const SECRET = Buffer.from('a secret that no log is to have.')

function opened() {
  return open({ fresh: true, privacy: { key: KEY }, events: { secrets: { shop: SECRET } } })
}

/** All that a log can have of a value: by printing it in full, and as JSON. */
function logged(value: unknown): string {
  const json = JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each))
  return `${inspect(value, { depth: Number.POSITIVE_INFINITY, maxArrayLength: null })}\n${json}`
}

const asPrinted = (bytes: Uint8Array) => [
  inspect(Buffer.from(bytes)).slice(8, 40),
  bytes.slice(0, 8).join(', '),
  bytes.slice(0, 8).join(',')
]

test('what users log has neither keys nor secrets, and no more of the governor than the name of its arena', async () => {
  const gov = opened()
  const lock = gov.lock('a')
  const pool = gov.pool('p', { capacity: { x: 1 } })
  const bucket = gov.bucket('b', { rate: 1 })
  const given = [gov, lock, lock.tryAcquire(), pool, pool.tryAllocate({ x: 1 }), bucket, gov.workflow('w'), gov.events, gov.events.all()]
  for (const value of given) {
    const text = logged(value)
    for (const secret of [KEY, ...asPrinted(Buffer.from(KEY)), ...asPrinted(SECRET)]) assert.not.ok(text.includes(secret), text)
    assert.not.ok(text.includes('binding'), text)
  }
  await gov.close()
})

test('an error of an argument that was a lock can be logged', async () => {
  const gov = opened()
  const error = thrown(() => gov.tryAdmit({ locks: gov.lock('a') as never }))
  assert.match(logged(error.facts), '"name":"a"')
  await gov.close()
})

test.run()
