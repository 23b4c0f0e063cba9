import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seal, unseal } from '../../../lib/predict/saved.js'

test('what was sealed is unsealed as it was, of its kind only, and only whole', () => {
  const model = Uint8Array.of(1, 2, 3)
  const saved = seal('kind 1\n', model)
  assert.equal(unseal('kind 1\n', saved), model)
  assert.equal(unseal('kind 1\n', seal('kind 1\n', new Uint8Array(0))), new Uint8Array(0))
  assert.is(unseal('kind 2\n', saved), undefined)
  for (let at = 0; at < saved.length; at++) {
    const broken = Uint8Array.from(saved)
    broken[at] = (broken[at] as number) ^ 4
    assert.is(unseal('kind 1\n', broken), undefined)
    assert.is(unseal('kind 1\n', saved.subarray(0, at)), undefined)
  }
})

test.run()
