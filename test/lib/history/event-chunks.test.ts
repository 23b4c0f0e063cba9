import * as duckdb from '@duckdb/node-api'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BLOCK_ROWS, COLUMNS, type EventBlock, eventRows, isText, newBlock, Words } from '../../../lib/history/event-block.js'
import { type Bindings, bindings, EventChunks } from '../../../lib/history/event-chunks.js'
import { Random } from '../../survive/support.js'

/** Rows of any of the words, some without a value; of one whose turn it is, none is absent, and of another all are. */
function blockOf(random: Random, words: Words, length: number, turn: number): EventBlock {
  const block = newBlock(words, length)
  const absent = (at: number) => (at === turn ? false : at === turn + 1 || random.below(4) === 0)
  for (let row = 0; row < length; row++) {
    for (const [at, name] of COLUMNS.entries()) {
      const isAbsent = absent(at)
      if (isText(name)) block[name][row] = isAbsent ? 0 : 1 + random.below(words.texts.length - 1)
      else block[name][row] = isAbsent ? Number.NaN : random.below(1e9) / 8
    }
  }
  return block
}

async function written(blocks: readonly EventBlock[], whole: Bindings | undefined): Promise<Record<string, unknown>[]> {
  const instance = await duckdb.DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`CREATE TABLE events (${COLUMNS.map(name => `"${name}" ${isText(name) ? 'VARCHAR' : 'DOUBLE'}`).join(', ')})`)
    const appender = await connection.createAppender('events')
    const chunks = new EventChunks(duckdb, COLUMNS, whole)
    for (const block of blocks) appender.appendDataChunk(chunks.filledWith(block))
    appender.closeSync()
    const rows = (await connection.runAndReadAll('SELECT * FROM events ORDER BY rowid')).getRowObjectsJS()
    return rows.map(row => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

for (const count of [1, 255, 256, 65_536]) {
  test(`blocks of ${count} words come into a table as they are, whole columns as well as value by value`, async () => {
    const random = new Random(count)
    const words = new Words()
    for (let i = 0; i < count; i++) words.of(`word ${i}`)
    // A chunk of another length is made anew, with all the words for each of its columns.
    const lengths = count < 1000 ? [BLOCK_ROWS, BLOCK_ROWS, BLOCK_ROWS, 1, 63, 64, 65, BLOCK_ROWS] : [100, 100, 100]
    const blocks = lengths.map((length, turn) => blockOf(random, words, length, turn))
    const rows = blocks.flatMap(eventRows)
    for (const whole of [bindings(), undefined]) assert.equal(await written(blocks, whole), rows)
  })
}

test('the bindings that take whole columns are found beside the package', () => {
  assert.type(bindings()?.copy_data_to_vector, 'function')
})

test('blocks of several lists of words follow each other', async () => {
  const random = new Random(7)
  const lists = [new Words(), new Words()]
  for (const [at, words] of lists.entries()) for (let i = 0; i < 300 * at + 3; i++) words.of(`${at} ${i}`)
  const blocks = [0, 1, 0, 0, 1].map(at => blockOf(random, lists[at], 100, at))
  assert.equal(await written(blocks, bindings()), blocks.flatMap(eventRows))
})

test.run()
