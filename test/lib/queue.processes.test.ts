import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, open, type Queue, unlink } from '../../lib/index.js'
import { Agent } from './agents.js'

const arena = `test-queue-processes-${process.pid}`

interface World {
  gov: Governor
  queue: Queue
  agents: Agent[]
}

for (const kind of ['process', 'thread'] as const) {
  const test = suite<World>(`a queue and another ${kind}`, { gov: undefined as never, queue: undefined as never, agents: [] })
  const another = async ({ agents, gov }: World) => {
    const agent = await (kind === 'process' ? Agent.process({ name: gov.name }) : Agent.thread({ name: gov.name }))
    agents.push(agent)
    return agent
  }

  test.before.each(world => {
    world.gov = open({ name: arena, autoEnclose: false })
    world.queue = world.gov.queue('q', { capacity: 4, maxBytes: 64 })
    world.agents = []
  })
  test.after.each(async ({ gov, agents }) => {
    for (const agent of agents) await agent.kill()
    await gov.close()
    unlink(arena, { force: true })
  })

  test('records go both ways', async world => {
    const agent = await another(world)
    for (let round = 0; round < 30; round++) {
      const theirs = agent.takeItem('q')
      await theirs.begun
      await world.queue.push(`to ${round}`)
      assert.equal(await theirs.done, { text: `to ${round}`, attempt: 1 })
      assert.is(await agent.ack(theirs).done, true)
      const mine = world.queue.take()
      agent.push('q', `fro ${round}`)
      const item = await mine
      assert.is(Buffer.from(item.data).toString(), `fro ${round}`)
      item.ack()
    }
    const counters = world.gov.counters()
    for (const name of ['takeovers', 'rescans', 'probeHandoffs']) assert.is(counters[name], 0, name)
  })

  test('what it had in hand when it was killed comes back, first, with one attempt more', async world => {
    const agent = await another(world)
    for (const text of ['a', 'b', 'c']) world.queue.offer(text)
    const taken = [agent.takeItem('q'), agent.takeItem('q')]
    for (const take of taken) await take.done
    assert.is(world.queue.size, 1)
    await agent.kill()
    const seen: [string, number][] = []
    // The third was there all the time; whether the others come before it depends on when the death is noticed.
    while (seen.length < 3) {
      const item = await world.queue.take()
      seen.push([Buffer.from(item.data).toString(), item.attempt])
      item.ack()
    }
    assert.equal(seen.sort(), [
      ['a', 2],
      ['b', 2],
      ['c', 1]
    ])
  })

  test('who only polls gets it, too', async world => {
    const agent = await another(world)
    world.queue.offer('a')
    await agent.takeItem('q').done
    await agent.kill()
    let item = world.queue.poll()
    while (item === null) {
      await new Promise(resolve => setImmediate(resolve))
      item = world.queue.poll()
    }
    assert.is(item.attempt, 2)
  })

  test('one that closes gives back what it has in hand, at once', async world => {
    const agent = await another(world)
    world.queue.offer('a')
    await agent.takeItem('q').done
    await agent.close().done
    assert.is(world.queue.poll()?.attempt, 2)
  })

  test('a wait of one that was killed is in the way of nobody', async world => {
    const agent = await another(world)
    const theirs = agent.takeItem('q')
    await theirs.begun
    await agent.kill()
    const mine = world.queue.take()
    world.queue.offer('a')
    assert.is(Buffer.from((await mine).data).toString(), 'a')
  })

  test('its room comes back when it is killed while it waits for room', async world => {
    const agent = await another(world)
    for (let i = 0; i < 4; i++) world.queue.offer(String(i))
    const theirs = agent.push('q', 'never')
    await theirs.begun
    await agent.kill()
    const pushed = world.queue.push('mine')
    world.queue.poll()?.ack()
    await pushed
    assert.is(world.queue.size, 4)
  })

  test.run()
}
