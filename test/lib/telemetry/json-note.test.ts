import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeNote, encodeNote, fieldsOf } from '../../../lib/telemetry/json-note.js'
import { NOTE_BYTES_MAX } from '../../../lib/telemetry/record.js'

test('what a note says is read as what it was told, by who looks for its kind', () => {
  const bytes = encodeNote({ id: 'ä', holds: [1] }) as Uint8Array
  assert.equal(decodeNote('mine', 'mine', bytes), { id: 'ä', holds: [1] })
  assert.is(decodeNote('mine', 'theirs', bytes), undefined)
})

test('a note has room for so many bytes, and for no more', () => {
  const quotes = 2
  assert.is(encodeNote('x'.repeat(NOTE_BYTES_MAX - quotes))?.byteLength, NOTE_BYTES_MAX)
  assert.is(encodeNote('x'.repeat(NOTE_BYTES_MAX - quotes + 1)), undefined)
})

test('what somebody else calls by the same name is nothing', () => {
  assert.is(decodeNote('mine', 'mine', Uint8Array.of(1, 2, 3)), undefined)
  for (const value of [null, 1, 'text', undefined]) assert.equal(fieldsOf(value), {})
})

test.run()
