import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeRecord, RECORD_BYTES } from '../../../lib/index.js'
import { randomsOf } from '../../../lib/randoms.js'
import { RecordTable } from '../../../lib/telemetry/record.js'

const INCARNATIONS = 2 ** 16

test('records are read where they lie as they are when they are copied, whatever bytes they have', () => {
  const random = randomsOf(1)
  const most = 500
  const bytes = Uint8Array.from({ length: most * RECORD_BYTES }, () => Math.floor(random() * 256))
  // Words that are known, too.
  for (let place = 0; place < most; place += 2) for (const at of [16, 18, 19]) bytes[place * RECORD_BYTES + at] = place % 12
  const table = new RecordTable(bytes)
  const seen = new Set<string>()
  for (let place = 0; place < most; place++) {
    const { participant, incarnation, plan: _, coarse: __, ...record } = decodeRecord(bytes, place * RECORD_BYTES)
    seen.add(record.event).add(record.kind).add(record.outcome)
    assert.is(table.environment(place), participant * INCARNATIONS + incarnation)
    for (const [field, value] of Object.entries(record)) assert.is(table[field as keyof typeof record](place), value, field)
  }
  for (const word of ['grant', 'pool', 'busy', 'unknown']) assert.ok(seen.has(word), word)
})

test.run()
