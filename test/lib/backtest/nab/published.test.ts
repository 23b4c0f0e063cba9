// That the scorer is the benchmark's: against what it published, where the data are.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dataFolder, missing } from '../../../../lib/backtest/data.js'
import { PROFILES, readCorpus, readProfiles } from '../../../../lib/backtest/nab/corpus.js'
import { readPublished } from '../../../../lib/backtest/nab/published.js'
import { bestScore, rowValues } from '../../../../lib/backtest/nab/score.js'
import { windowedGaussian } from '../../../../lib/backtest/nab/windowed-gaussian.js'

const data = dataFolder(undefined)
const folder = join(data, 'nab')
const absent = missing(data, ['nab'])
if (absent !== undefined) console.log(`skipped: no data (${absent} is not in ${data})`)
const judged = absent === undefined ? test : test.skip

judged('has the 58 files and 116 windows of the benchmark', async () => {
  const files = await readCorpus(folder)
  assert.is(files.length, 58)
  assert.is(
    files.reduce((sum, { windows }) => sum + windows.length, 0),
    116
  )
})

judged('values each row as the benchmark did, in the files that it published of ARTime', async () => {
  const files = await readCorpus(folder)
  const { standard } = await readProfiles(folder)
  const published = await readPublished(folder, 'ARTime', files)
  assert.is(published.size, 24)
  for (const [file, { rowValues: theirs }] of published) {
    rowValues(file, standard).forEach((value, row) => {
      assert.ok(Math.abs(value - (theirs[row] as number)) < 1e-6, `${file.name}, row ${row}: ${value}, published ${theirs[row]}`)
    })
  }
})

judged('the windowed Gaussian says what was published, and scores what was published', async () => {
  const files = (await readCorpus(folder)).map(file => ({ ...file, scores: windowedGaussian(file.values) }))
  const profiles = await readProfiles(folder)
  for (const [file, { scores }] of await readPublished(folder, 'windowedGaussian', files)) {
    const ours = files.find(({ name }) => name === file.name)?.scores as Float64Array
    scores.forEach((score, row) => {
      assert.ok(Math.abs(score - (ours[row] as number)) < 1e-5, `${file.name}, row ${row}`)
    })
  }
  const final = JSON.parse(readFileSync(join(folder, 'results', 'final_results.json'), 'utf8')).windowedGaussian as Record<string, number>
  for (const [id, name] of Object.entries(PROFILES)) {
    const { score } = bestScore(files, profiles[id as keyof typeof PROFILES])
    assert.ok(Math.abs(score - (final[name] as number)) < 1e-4, `${id}: ${score}, published ${final[name]}`)
  }
})

judged('says what is missing where an archive cannot be read', async () => {
  let message = ''
  await readPublished(join(folder, 'labels'), 'ARTime', []).catch((error: Error) => {
    message = error.message
  })
  assert.match(message, /could not read .*apt-get install xz-utils/)
})

test.run()
