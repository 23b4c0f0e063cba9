import type { ChildProcess } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { open, unlink } from '../../lib/index.js'
import { kill, message, Random, start, temporaryFolder, until } from './support.js'

const test = suite('queues and SIGKILL')
const dir = temporaryFolder()
const name = 'queues'
const DEATHS = 6
const RECORDS = 4_000
const seed = Number(process.env.FORELOCK_SEED ?? 1)

test('stages that are killed at random lose no record, and leave all of the room', async () => {
  const random = new Random(seed)
  const gov = open({ name, dir })
  const [into, out] = [gov.queue('in', { capacity: 16, maxBytes: 32 }), gov.queue('out', { capacity: 16, maxBytes: 32 })]
  const enter = async (): Promise<ChildProcess> => {
    const child = start('queue.child.ts', [JSON.stringify({ name, dir })])
    await message(child)
    return child
  }
  const children = await Promise.all([enter(), enter(), enter()])
  const seen = new Map<string, number>()
  const fed = (async () => {
    for (let i = 0; i < RECORDS; i++) await into.push(`record ${i}`)
  })()
  let deaths = 0
  let [next, again] = [random.below(400) + 50, 0]
  while (seen.size < RECORDS) {
    const item = await out.take({ waitTimeout: 30_000 })
    const text = Buffer.from(item.data).toString()
    assert.match(text, /^record \d+$/)
    item.ack()
    if (seen.has(text)) again++
    seen.set(text, (seen.get(text) ?? 0) + 1)
    if (seen.size >= next && deaths < DEATHS) {
      deaths++
      next = seen.size + random.below(400) + 50
      const victim = random.below(children.length)
      await kill(children[victim] as ChildProcess)
      children[victim] = await enter()
    }
  }
  await fed
  assert.is(deaths, DEATHS)
  // Each stage has three records in hand at most, which may have been passed on already when it is killed.
  assert.ok(again <= DEATHS * 3, `${again} records came twice`)
  for (const child of children) await kill(child)
  for (const queue of [into, out]) {
    // What they had in hand comes back when their deaths are noticed; then all of the room can be had at once.
    for (let had = 0; had < queue.capacity; ) {
      if (queue.offer('room', { tier: 'background' })) {
        had++
        continue
      }
      const item = await queue.take({ waitTimeout: 30_000 })
      if (item.tier === 'background') had--
      item.ack()
    }
    // Those that went to waits of the dead before their deaths were noticed come back, too; who is refused looks around.
    await until('all of the room is taken by what waits', () => !queue.offer('over') && queue.size === queue.capacity)
  }
  await gov.close()
  unlink(name, { dir, force: true })
})

test.run()
