// What foresight brings, on a trace: npm start, or npm start -- TRACE [options of forelock replay].
import { resolve } from 'node:path'
import { replayTrace } from '../../lib/cli/replay.js'

/** Made up, and labelled so: who has a trace names it. */
const [trace = 'generated', page = 'replay.html'] = process.argv.slice(2)
const html = resolve(page)
const isTerminal = process.stderr.isTTY
const isMade = trace === 'generated'

console.log(isMade ? 'A generated day, through the real core in virtual time. Your own: npm start -- day.csv\n' : '')
await replayTrace(
  trace,
  { policy: 'reactive,static,predictive,oracle', html, ...(isMade && { utilisation: '80' }) },
  text => process.stdout.write(text),
  text => void (isTerminal && process.stderr.write(`\r\x1b[K${text}`))
)
