// Another process of the same arena, which does no job: it hears by foresight what the jobs of the first one took.
import { open } from '../../lib/index.js'
import { jobsOf } from './jobs.js'

const gov = open({ name: process.argv[2] as string })
const { workflow } = jobsOf(gov)
gov.foresight.start()
await gov.foresight.status()
process.send?.('ready')

process.on('message', async (input: { megabytes: number }) => {
  // The answer comes after all that was done before the question.
  await gov.foresight.status()
  process.send?.(workflow.size(input)?.memory)
  await gov.close()
  process.disconnect()
})
