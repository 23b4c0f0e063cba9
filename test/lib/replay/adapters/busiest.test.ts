import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Busiest } from '../../../../lib/replay/adapters/busiest.js'

test('it tells who comes most often, most often first', () => {
  const busiest = new Busiest()
  for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) busiest.add(name)
  assert.equal(busiest.names, ['a', 'b', 'c'])
})

test('it finds the few that come again and again among any number that come once', () => {
  const busiest = new Busiest(100)
  for (let i = 0; i < 20_000; i++) busiest.add(i % 10 === 0 ? `often ${i % 50}` : `once ${i}`)
  assert.equal([...busiest.names].slice(0, 5).sort(), ['often 0', 'often 10', 'often 20', 'often 30', 'often 40'])
})

test.run()
