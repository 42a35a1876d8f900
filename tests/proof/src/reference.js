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
    'an array constructor at the start of a path stands on the context, and names are bound to its items',
    'resultSequence = await evaluate(step, inputSequence, environment);\n            } else {',
    `if (isTupleStream) {
               const once = input && input.outerWrapper ? input : environment.base.createSequence(input);
               tupleBindings = await evaluateTupleStep(step, once, undefined, environment);
             } else {
               resultSequence = await evaluate(step, input, environment);
             }
             if (resultSequence !== undefined && !Array.isArray(resultSequence)) {
               resultSequence = environment.base.createSequence(resultSequence);
             }
            } else {`,
  ],
  [
    'an object with computed keys takes an array that is an item as one',
    '// object constructor - apply grouping\n                result = await evaluateGroupExpression(expr, input, environment);',
    `if (Array.isArray(input) && !input.outerWrapper && expr.lhs.some(([key]) => key.type !== 'string')) {
       input = environment.base.createSequence(input.length < 2 ? input[0] : input.reduce((all, one) => fn.append.call(focus, all, one)));
     }
     result = await evaluateGroupExpression(expr, input, environment);`,
  ],
  [
    '`[]` does not wrap an empty array constructor at the start',
    'resultSequence.cons && !resultSequence.sequence)',
    'resultSequence.cons && !resultSequence.sequence && (resultSequence.length > 0 || !expr.steps[0].consarray || ii > 0))',
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
    'the clock stands where ours does',
    'timestamp = new Date();\n                exec_env',
    'timestamp = new Date(1700000000000);\n                exec_env',
  ],
  [
    '$replace by nothing is refused, unless there is no text',
    "var self = this;\n\n        // pattern cannot be an empty string",
    `var self = this;
        if (replacement === undefined) { throw { code: 'T0410', stack: (new Error()).stack, value: replacement }; }
        // pattern cannot be an empty string`,
  ],
  [
    'what has parents or names keeps them when it is ordered',
    'result = await fn.sort.apply(focus, [lhs, comparator]);',
    'result = await fn.sort.apply(focus, [lhs, comparator]); if (isTupleSort) { result.tupleStream = true; }',
  ],
  [
    'the root is one item for names too',
    '// if input is not an array, make it so\n            inputSequence = environment.base.createSequence(input);',
    'inputSequence = environment.base.createSequence(input && input.outerWrapper ? input[0] : input);',
  ],
  [
    'a parent that is ordered itself is looked for',
    "if (result.type !== 'path') {\n                                result = {type: 'path', steps: [result]};\n                            }\n                            var sortStep",
    "if (result.type !== 'path') { const first = result; result = {type: 'path', steps: [first]}; if (first.type === 'parent') { result.seekingParent = [first.slot]; } }\n var sortStep",
  ],
  [
    'a call at the end of a function keeps its array',
    "if (expr.type === 'function' && !expr.predicate) {",
    "if (expr.type === 'function' && !expr.predicate && !expr.keepArray) {",
  ],
  [
    'an empty array that was picked from what is ordered is no end of the path',
    'result = await evaluateStages(expr.stages, result, environment);\n             }\n             return result;',
    `result = await evaluateStages(expr.stages, result, environment);
               if (!lastStep && result && result.length === 0) { result = environment.base.createSequence(); }
             }
             return result;`,
  ],
  [
    'a division may follow a function',
    "advance('}');\n            }\n            return this;",
    "advance('}', true);\n            }\n            return this;",
  ],
  [
    'a division may follow a transform',
    "advance('|');\n            return this;",
    "advance('|', true);\n            return this;",
  ],
  [
    '$split by nothing is refused, unless there is no text',
    "var result = [];\n\n        if (typeof limit === 'undefined' || limit > 0) {\n            if (typeof separator",
    `if (separator === undefined) { throw { code: 'T0410', stack: (new Error()).stack, value: separator }; }
        var result = [];
        if (typeof limit === 'undefined' || limit > 0) {
            if (typeof separator`,
  ],
  [
    'a text is not replaced by a function',
    "var replacer;\n        if (typeof replacement === 'string') {",
    "if (typeof pattern === 'string' && typeof replacement === 'function') { throw { code: 'T0410', stack: (new Error()).stack }; }\n        var replacer;\n        if (typeof replacement === 'string') {",
  ],
  [
    'a match is an object, whatever is taken for false',
    'if(result && !(typeof result.start',
    'if(result !== undefined && result !== null && !(typeof result.start',
  ],
  [
    'nothing is written into the document',
    'input.push(undefined);\n        }',
    'input = [undefined];\n        }',
  ],
  // Pictures of numbers.
  [
    'a digit that the picture does not show stays',
    'if (pic.picture.indexOf(decimal_separator) === -1 || decimalPos === stringValue.length - 1) {',
    'if (decimalPos === stringValue.length - 1) {',
  ],
  [
    'Roman numerals end at a million',
    'formattedInteger = decimalToRoman(value);',
    'formattedInteger = value > 1e6 ? String(value) : decimalToRoman(value);',
  ],
  [
    'a prefix may stand before an exponent: mantissa',
    'mantissaPart = activePart.substring(0, exponentPosition);',
    'mantissaPart = activePart.substring(0, exponentPosition - prefix.length);',
  ],
  [
    'a prefix may stand before an exponent: exponent',
    'exponentPart = activePart.substring(exponentPosition + 1);',
    'exponentPart = activePart.substring(exponentPosition - prefix.length + 1);',
  ],
  [
    'all separators of a fraction count',
    "groupingPosition = parts.integerPart.indexOf(properties['grouping-separator'], groupingPosition + 1);",
    "groupingPosition = part.indexOf(properties['grouping-separator'], groupingPosition + 1);",
  ],
  [
    'separators stand between digits alone',
    'stringValue = [stringValue.slice(0, decimalPos - pos), grouping_separator, stringValue.slice(decimalPos - pos)].join(\'\');\n                decimalPos++;',
    `if (pos < decimalPos) {
       stringValue = [stringValue.slice(0, decimalPos - pos), grouping_separator, stringValue.slice(decimalPos - pos)].join('');
       decimalPos++;
     }`,
  ],
  [
    'the same in a fraction',
    'stringValue = [stringValue.slice(0, pos + decimalPos + 1), grouping_separator, stringValue.slice(pos + decimalPos + 1)].join(\'\');',
    `const at = pos + decimalPos + 1;
     if (at < stringValue.length) {
       stringValue = [stringValue.slice(0, at), grouping_separator, stringValue.slice(at)].join('');
       decimalPos++;
     }`,
  ],
  [
    'the same in a whole number',
    'const pos = formattedInteger.length - separator.position;\n',
    'const pos = formattedInteger.length - separator.position; if (pos <= 0) { return; }\n',
  ],
  [
    'the ending of an ordinal is that of its digits',
    'var lastDigit = formattedInteger[formattedInteger.length - 1];',
    'const all = formattedInteger; formattedInteger = String(value); var lastDigit = formattedInteger[formattedInteger.length - 1];',
  ],
  ['the same, once', 'formattedInteger = formattedInteger + suffix;', 'formattedInteger = all + suffix;'],
  // And back.
  [
    '$parseInteger reads signs, and gives nothing for what is no number',
    'const result = matchSpec.parse(value);\n        return result;',
    `const negative = value.startsWith('-');
        const result = matchSpec.parse(negative ? value.substring(1) : value);
        return Number.isFinite(result) ? (negative ? 0 - result : result) : undefined;`,
  ],
  [
    '$parseInteger reads separators',
    "digits = digits.split(',').join('');",
    'digits = digits.split(formatSpec.groupingSeparators.character).join(\'\');',
  ],
  [
    'Roman numerals are read in any case',
    'romanToDecimal(isUpper ? value : value.toUpperCase())',
    'romanToDecimal(value.toUpperCase())',
  ],
  [
    'letters are letters',
    'var aCode = aChar.charCodeAt(0);\n        var decimal = 0;',
    "if (!/^[A-Za-z]*$/.test(letters)) { return NaN; } if (letters.toLowerCase() !== letters && aChar === 'a') { letters = letters.toLowerCase(); } if (letters.toUpperCase() !== letters && aChar === 'A') { letters = letters.toUpperCase(); } var aCode = aChar.charCodeAt(0);\n        var decimal = 0;",
  ],
  [
    'the ending of an ordinal is read where there is one',
    'digits = value.substring(0, value.length - 2);',
    "digits = value.replace(/(?:th|st|nd|rd)$/, '');",
  ],
  // Pictures of times.
  [
    'a time out of range is refused',
    'const dateTime = new Date(millis + offsetMillis);',
    "const dateTime = new Date(millis + offsetMillis); if (Number.isNaN(dateTime.getTime())) { throw { code: 'D1001', stack: (new Error()).stack }; }",
  ],
  [
    'names of times are read in any case',
    'return lookup[value];',
    'return lookup[Object.keys(lookup).find((name) => name.toLowerCase() === value.toLowerCase())];',
  ],
  ['`[d]` goes together with a time of day', "const dateComps = dateB ? 'YD'", "const dateComps = dateB ? 'Yd'"],
  [
    'a number out of range is refused, and what is no number is nothing, wherever it becomes a value',
    'environment.base.depth--;\n\n        return result;',
    'environment.base.depth--;\n\n        return inRange(result);',
  ],
  [
    'the same for what a function gives',
    'code: "T1006",\n                    stack: (new Error()).stack\n                };\n            }',
    `code: "T1006",
                    stack: (new Error()).stack
                };
            }
            result = inRange(result);`,
  ],
  [
    'the same, once',
    'async function evaluatePath(expr, input, environment) {',
    `function inRange(value) {
       if (typeof value !== 'number' || Number.isFinite(value)) return value;
       if (Number.isNaN(value)) return undefined;
       throw { code: 'D1001', stack: (new Error()).stack, value };
     }
     async function evaluatePath(expr, input, environment) {`,
  ],
  [
    'a part of a built-in takes and checks its arguments as the function does',
    'result = partialApplyNativeFunction(proc.implementation, evaluatedArgs, environment);',
    `const open = (arg) => !!arg && arg.type === 'operator' && arg.value === '?';
     result = async (...given) => {
       let taken = 0;
       return await apply(proc, evaluatedArgs.map((arg) => open(arg) ? given[taken++] : arg), null, environment);
     };
     result.arity = evaluatedArgs.filter(open).length;`,
  ],
  ['$sift without a function is refused', "'<o-f?:o>'", "'<o-f:o>'"],
  [
    '$base64encode takes characters up to U+00FF',
    '// Use btoa in a browser, or Buffer in Node.js\n\n',
    `if (/[^\\u0000-\\u00ff]/.test(str)) { throw { code: 'T0410', stack: (new Error()).stack, value: str }; }
`,
  ],
  [
    '$spread takes the root as it is, and a built-in as it takes a lambda',
    'var result = this.createSequence();\n\n        if (Array.isArray(arg)) {\n            // spread all',
    `if (Array.isArray(arg) && arg.outerWrapper) { arg = arg[0]; }
     if (isFunction(arg)) { return arg; }
     var result = this.createSequence();
        if (Array.isArray(arg)) {
            // spread all`,
  ],
  [
    'a regular expression may stand behind an opening bracket',
    'advance(null, true);\n            left = t.nud();',
    `advance(null, !(t.type === 'operator' && ['(', '[', '{', '-', '|'].includes(t.value)));
            left = t.nud();`,
  ],
  ['a division may follow `[]`', 'step.keepArray = true;\n                advance("]");', 'step.keepArray = true;\n                advance("]", true);'],
  [
    'a division may follow `^(…)`',
    'advance(")");\n            this.lhs = left;\n            this.rhs = terms;',
    'advance(")", true);\n            this.lhs = left;\n            this.rhs = terms;',
  ],
  [
    'all keys of order-by are computed',
    'var focus = {\n            environment: environment,\n            input: input\n        };\n        // the `focus` is passed in as the `this` for the invoked function\n        result = await fn.sort',
    `if (lhs.length > 1) {
       for (const item of lhs) {
         const env = isTupleSort ? createFrameFromTuple(environment, item) : environment;
         for (const term of expr.terms) await evaluate(term.expression, isTupleSort ? item['@'] : item, env);
       }
     }
     var focus = { environment: environment, input: input };
     result = await fn.sort`,
  ],
  [
    'whether a parent was ever found is told',
    'result = environment.lookup(expr.slot.label);',
    'result = environment.lookup(expr.slot.label); if (result !== undefined) { globalThis.found.add(expr); }',
  ],
  ['all parents are known', 'ancestry.push(result);', 'ancestry.push(result); globalThis.parents.push(result);'],
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
    globalThis.parents = [];
    globalThis.found = new Set();
    try {
      const expr = jsonata(q.expr, { timeout: 2000, stack: 500 });
      for (const text of q.documents) {
        globalThis.found.clear();
        const answer = await evaluate(expr, text);
        // Some `%` has met nothing: it may be one that is nowhere.
        if (globalThis.parents.some((parent) => !globalThis.found.has(parent))) answer.orphan = true;
        answers.push(answer);
      }
    } catch (e) {
      answers = q.documents.map(() => failed(e));
    }
    process.stdout.write(JSON.stringify(answers) + '\n');
  }
})();
