// Opens an arena at the moment it is told, and says which file it got.
import { readFileSync } from 'node:fs'
import { type Governor, open } from '../../lib/index.js'

const [dir] = process.argv.slice(2) as [string]
const held: Governor[] = []

/** Inodes of the arenas mapped here: two processes with the same one are in one arena. */
function mapped(): string[] {
  const lines = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return lines.filter(line => line.includes(dir)).map(line => line.trim().split(/\s+/)[4] as string)
}

process.on('message', ({ name, at }: { name: string; at: number }) => {
  while (Date.now() < at) {
    // all of them at once
  }
  try {
    held.push(open({ name, dir, capacity: { elements: 64, waiters: 128, participants: 12, names: 16 } }))
    process.send?.({ mapped: mapped() })
  } catch (error) {
    process.send?.({ error: String(error) })
  }
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
