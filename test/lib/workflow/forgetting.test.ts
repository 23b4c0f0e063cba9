import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open, unlink } from '../../../lib/index.js'
import type { Session } from '../../../lib/session.js'
import { Forgetting } from '../../../lib/workflow/forgetting.js'
import { addLearner } from '../../../lib/workflow/learners.js'
import { Agent } from '../agents.js'
import { isCoded, thrown, virtual } from '../support.js'

const quiet = { metering: false } as const

test('a tenant that one governor is told to forget is in no profile and no forecast of another any more', async () => {
  const gov = virtual()
  const other = open({ handle: gov.handle, autoEnclose: false })
  const [mine, theirs] = [gov.workflow('w', quiet), other.workflow('w', quiet)]
  const runs = async (tenant: string, ms: number) => {
    for (const workflow of [mine, theirs]) for (let i = 0; i < 3; i++) await workflow.run({ tenant }, () => gov.advance(ms))
  }
  await runs('acme', 1000)
  await runs('globex', 10)
  const foretold = () =>
    theirs.run(run => {
      const { samples } = run.forecast(1)
      gov.advance(5)
      return samples
    })
  assert.equal([theirs.profile().samples, await foretold()], [6, 6])
  other.forget({ tenant: 'acme' })
  for (const workflow of [mine, theirs]) {
    const { duration } = workflow.profile()
    assert.is(duration?.max, 10)
  }
  gov.forget({ tenant: 'globex' })
  assert.is(await foretold(), 1)
  await other.close()
  await gov.close()
})

test('what is learnt of a tenant after the call stays, also where the governor was opened later', async () => {
  const gov = virtual()
  gov.forget({ tenant: 'acme' })
  gov.forget({ tenant: 'acme' })
  const later = open({ handle: gov.handle, autoEnclose: false })
  const workflow = later.workflow('w', quiet)
  const once = () => workflow.run({ tenant: 'acme' }, () => gov.advance(1))
  await once()
  assert.is(workflow.profile().samples, 1)
  gov.forget({ tenant: 'acme' })
  assert.is(workflow.profile().samples, 0)
  await once()
  assert.is(workflow.profile().samples, 1)
  gov.forget({ tenant: 'acme' })
  assert.is(workflow.profile().samples, 0)
  await later.close()
  await gov.close()
})

test('a process whose event loop is blocked when it is told has forgotten before it tells anything of it', async () => {
  const options = { name: `forgetting-${process.pid}` }
  const gov = open(options)
  const agent = await Agent.process(options)
  try {
    await agent.runs('w', 3, 'acme').done
    await agent.runs('w', 2, 'globex').done
    assert.is(await agent.profile('w').done, 5)
    agent.block(50)
    gov.forget({ tenant: 'acme' })
    assert.is(await agent.profile('w').done, 2)
  } finally {
    await agent.kill()
    await gov.close()
    unlink(options.name, { force: true })
  }
})

test('a governor that has closed, and an arena without room, say that the others do not hear of it', async () => {
  const gov = virtual()
  await gov.close()
  isCoded(
    thrown(() => gov.forget({ tenant: 'acme' })),
    'ERR_FORELOCK_CLOSED'
  )
  const { forgetting, told, names } = simulated()
  names.room = 0
  isCoded(
    thrown(() => forgetting.forget('acme')),
    'ERR_FORELOCK_CAPACITY'
  )
  assert.equal(told, ['acme'])
})

/** The names of an arena, and a governor on them that tells whom it forgets. */
function simulated(names = { all: new Set<string>(), room: Number.POSITIVE_INFINITY }) {
  const binding = {
    capacity: { elements: 1 },
    findName: (name: string) => (names.all.has(name) ? 1 : 0),
    intern(name: string) {
      if (names.all.size < names.room) names.all.add(name)
      return binding.findName(name)
    }
  }
  const session = { binding, joined: true, leaving: [] as (() => void)[] } as unknown as Session
  const told: string[] = []
  const learner = { forget: (tenant: string) => void told.push(tenant) }
  addLearner(session, learner)
  return { forgetting: new Forgetting(session), told, names, binding, session, learner }
}

test('of two that tell at the same moment both are heard by one who has looked in between, whatever the moment', () => {
  for (let moment = 0; ; moment++) {
    const { forgetting: one, names, binding } = simulated()
    const two = simulated(names).forgetting
    const { forgetting: third, told, session } = simulated(names)
    for (const tenant of ['acme', 'globex', 'initech']) third.learnt(tenant)
    let steps = 0
    const between =
      <T>(then: (name: string) => T) =>
      (name: string) => {
        if (steps++ === moment) {
          two.forget('globex')
          third.look()
        }
        return then(name)
      }
    binding.findName = between(binding.findName)
    binding.intern = between(binding.intern)
    one.forget('acme')
    third.look()
    for (const end of session.leaving) void end()
    assert.equal([...told].sort(), steps > moment ? ['acme', 'globex'] : ['acme'], `at ${moment}`)
    if (steps <= moment) break
    assert.ok(moment < 100)
  }
})

test('one that has missed many calls finds the last one in few looks, and forgets those that it knows', () => {
  const first = simulated()
  for (let i = 0; i < 1000; i++) first.forgetting.forget(`t${i}`)
  let looks = 0
  const { all } = first.names
  const has = (name: string) => {
    looks++
    return all.has(name)
  }
  const counted = { all: { has } as Set<string>, room: 0 }
  simulated(counted)
  assert.ok(looks < 30, `${looks}`)
  const { forgetting, told, session } = simulated(first.names)
  forgetting.learnt('a')
  forgetting.learnt('b')
  for (const tenant of ['b', 'c', 'b']) first.forgetting.forget(tenant)
  forgetting.look()
  for (const end of session.leaving) void end()
  assert.equal(told, ['b'])
})

test.run()
