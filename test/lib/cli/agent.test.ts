import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runAgent } from '../../../lib/cli/agent.js'
import { ClosedError, open, RetiredError, unlink } from '../../../lib/index.js'

const CLI = new URL('../../../lib/cli/forelock.ts', import.meta.url).pathname

function start(name: string): ChildProcess & { line(): Promise<string> } {
  const child = spawn(process.execPath, ['--import', 'tsx', CLI, 'agent', name], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.setEncoding('utf8')
  return Object.assign(child, { line: async () => String((await once(child.stdout, 'data'))[0]) })
}

test('an agent that is killed is followed by the one that waits', async () => {
  const name = `agent-cli-${process.pid}`
  const gov = open({ name })
  const first = start(name)
  assert.is(await first.line(), `plans for ${name}\n`)
  const second = start(name)
  assert.is(await second.line(), `learns, and waits: another agent plans for ${name}\n`)
  first.kill('SIGKILL')
  assert.is(await second.line(), `plans for ${name}\n`)
  const last = second.line()
  second.kill('SIGTERM')
  assert.match(
    await last,
    /^0 plans written; of 0 holds 0 were used\nof 0 warm-ups 0 were used\n0 were checked by a shadow request; 0 were not needed, 0 could not have helped\n$/
  )
  assert.equal(await once(second, 'exit'), [0, null])
  await gov.close()
  unlink(name)
})

test('it ends when it is told to, and leaves the arena', async () => {
  const name = `agent-cli-end-${process.pid}`
  const ending = new AbortController()
  const told: string[] = []
  const over = runAgent(name, {}, text => void told.push(text), ending.signal)
  ending.abort()
  await over
  assert.match(told.at(-1) ?? '', /^0 plans written/)
  assert.is(unlink(name), true)
})

test('it ends with an error when its arena is removed from under it', async () => {
  const name = `agent-cli-removed-${process.pid}`
  const ending = new AbortController()
  let begun: () => void = () => {}
  const plans = new Promise<void>(resolve => {
    begun = resolve
  })
  const over = runAgent(name, {}, begun, ending.signal)
  await plans
  assert.is(unlink(name, { force: true }), true)
  const error = await over.then(
    () => undefined,
    reason => reason
  )
  // By who meets it first: the look at what happened, or the question how it does.
  assert.instance(error instanceof ClosedError ? error.cause : error, RetiredError)
})

test.run()
