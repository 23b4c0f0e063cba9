// A stage between two queues: what it takes of the first it pushes into the second, then acknowledges it.
import { open } from '../../lib/index.js'

const { name, dir } = JSON.parse(process.argv[2] as string) as { name: string; dir: string }
const gov = open({ name, dir })
const from = gov.queue('in')
const to = gov.queue('out')

async function pass(): Promise<void> {
  for await (const item of from) {
    await to.push(item.data)
    item.ack()
  }
}

process.send?.('ready')
await Promise.all([pass(), pass(), pass()])
