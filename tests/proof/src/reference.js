// The reference implementation behind JSON lines: {"expr", "documents": [text…]} in, an array of
// answers out. Each document is read by the language's own reader.
const fs = require('fs');

// Where the reference loses data or gives a piece of `undefined`, it is mended before it answers: one
// line each, which must stand there exactly once. docs/mappings.md says the same in words.
const MENDED = [
  [
    'a filter of nothing gives nothing',
    'async function evaluateFilter(predicate, input, environment) {',
    `async function evaluateFilter(predicate, input, environment) {
       const results = await filtered(predicate, input, environment);
       return results.length > 0 && results.every((item) => item === undefined) ? environment.base.createSequence() : results;
     }
     async function filtered(predicate, input, environment) {`,
  ],
  [
    'what is no number is nothing: 0 / 0',
    'result = lhs / rhs;',
    'result = lhs / rhs; if (Number.isNaN(result)) { result = undefined; }',
  ],
  [
    'what is no number is nothing: 1 % 0',
    'result = lhs % rhs;',
    'result = lhs % rhs; if (Number.isNaN(result)) { result = undefined; }',
  ],
  [
    'a path goes on from one item that a filter left of an array constructor',
    'resultSequence = await evaluate(step, inputSequence, environment);\n            } else {',
    `resultSequence = await evaluate(step, inputSequence, environment);
             if (resultSequence !== undefined && !Array.isArray(resultSequence)) {
               resultSequence = environment.base.createSequence(resultSequence);
             }
            } else {`,
  ],
  [
    '`[]` does not wrap an empty array constructor at the start',
    'resultSequence.cons && !resultSequence.sequence)',
    'resultSequence.cons && !resultSequence.sequence && (resultSequence.length > 0 || !expr.steps[0].consarray))',
  ],
  [
    '$sort takes what its function says as $boolean does',
    '} else if (await comp(left[0], right[0])) {',
    '} else if (boolean(await comp(left[0], right[0]))) {',
  ],
  [
    'the context at the end of a function is the function\'s own',
    'result = await applyInner(next, evaluatedArgs, input, environment);\n        }',
    'result = await applyInner(next, evaluatedArgs, result.input, environment);\n        }',
  ],
  [
    '$parseInteger of what is no number gives nothing',
    'const result = matchSpec.parse(value);\n        return result;',
    'const result = matchSpec.parse(value);\n        return Number.isNaN(result) ? undefined : result;',
  ],
];
let source = fs.readFileSync(require.resolve('jsonata'), 'utf8');
for (const [name, from, to] of MENDED) {
  if (source.split(from).length !== 2) throw new Error(`cannot be mended: ${name}`);
  source = source.replace(from, () => to);
}
const loaded = { exports: {} };
new Function('module', 'exports', 'require', source)(loaded, loaded.exports, require);
const jsonata = loaded.exports;

const lines = require('readline').createInterface({ input: process.stdin });
const isFunction = (v) => typeof v === 'function' || (v && typeof v === 'object' && (v._jsonata_lambda || v._jsonata_function));
// What has no JSON is marked, so that it is not taken for a value.
const plain = function (key, v) {
  if (isFunction(v)) return '\ue000function';
  if (typeof v === 'number' && !Number.isFinite(v)) return '\ue000number';
  if (v === undefined && Array.isArray(this)) return '\ue000undefined';
  return v;
};
const failed = (e) => ({ error: e.code || String(e.message || e).slice(0, 120), own: !!e.code });

const evaluate = async (expr, text) => {
  try {
    const result = await expr.evaluate(JSON.parse(text));
    return result === undefined ? { undefined: true } : { result: JSON.stringify(result, plain) };
  } catch (e) {
    return failed(e);
  }
};

(async () => {
  for await (const line of lines) {
    const q = JSON.parse(line);
    let answers = [];
    try {
      const expr = jsonata(q.expr, { timeout: 2000, stack: 500 });
      for (const text of q.documents) answers.push(await evaluate(expr, text));
    } catch (e) {
      answers = q.documents.map(() => failed(e));
    }
    process.stdout.write(JSON.stringify(answers) + '\n');
  }
})();
