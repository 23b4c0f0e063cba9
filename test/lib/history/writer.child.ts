// Writes runs into histories, side by side, until it is killed, and says after each flush how many are on disk.
import { openDuckDbStore } from '../../../lib/history/duckdb.js'
import { DAY, run } from './rows.js'

async function write(file: string, which: number): Promise<void> {
  const store = await openDuckDbStore(file, { flushInterval: Number.POSITIVE_INFINITY })
  let written = 0
  for (let round = 0; ; round++) {
    const count = 1 + ((round * 37 + which * 11) % 400)
    store.append(
      'runs',
      Array.from({ length: count }, (_, i) => run(`${written + i}`, { end: DAY + written + i, wall: 1 }))
    )
    written += (await store.flush()).rows
    process.send?.([which, written])
    // Putting roll-ups together is killed as well.
    if (round % 3 === 2) await store.rollUp()
  }
}

process.send?.('ready')
process.once('message', (files: string[]) => {
  for (const [which, file] of files.entries()) void write(file, which)
})
