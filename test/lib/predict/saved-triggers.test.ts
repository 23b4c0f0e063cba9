import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seal, unseal } from '../../../lib/predict/saved.js'
import { readTriggers, writeTriggers } from '../../../lib/predict/saved-triggers.js'
import { Triggers } from '../../../lib/predict/triggers.js'

const MAGIC = 'forelock triggers 1\n'

const triggers = new Triggers()
triggers.record(Array.from({ length: 40 }, (_, i) => ({ stream: i % 2 === 0 ? 'a' : 'b', time: 60_000 * (i >> 1) + 500 * (i % 2) })))
const saved = JSON.parse(Buffer.from(unseal(MAGIC, triggers.save()) as Uint8Array).toString())

test('what was written is read as it was', () => {
  assert.equal(readTriggers(writeTriggers(saved)), saved)
  assert.ok(saved.streams.some(({ across }: { across: unknown[] }) => across.length > 0))
})

test('what holds a value that no triggers have is refused, though it is whole', () => {
  const leader = saved.streams.find(({ across }: { across: unknown[] }) => across.length > 0)
  const follower = (part: object) => ({ ...leader, across: [{ ...leader.across[0], ...part }] })
  const bad: Record<string, object> = {
    within: { within: null },
    began: { began: 'now' },
    ran: { ran: -1 },
    full: { isFull: 1 },
    due: { due: [['a', null]] },
    'no streams': { streams: undefined },
    'times out of order': { streams: [{ ...leader, times: [2, 1] }] },
    'a name that is none': { streams: [{ ...leader, name: 7 }] },
    'a count below 0': { streams: [follower({ hits: -1 })] },
    'too few bins': { streams: [follower({ lags: [1] })] },
    'a bin too full': { streams: [follower({ lags: leader.across[0].lags.map(() => 1e9) })] }
  }
  for (const [kind, part] of Object.entries(bad)) {
    assert.is(readTriggers(seal(MAGIC, Buffer.from(JSON.stringify({ ...saved, ...part })))), undefined, kind)
  }
})

test('another version, and what is no JSON, is refused', () => {
  assert.is(readTriggers(seal('forelock triggers 0\n', Buffer.from(JSON.stringify(saved)))), undefined)
  assert.is(readTriggers(seal(MAGIC, Buffer.from('{'))), undefined)
})

test.run()
