// reference.js EXPRESSION INPUT OUTPUT SECONDS ROUNDS: the reference implementation of the language over
// one document, again and again. Prints CPU seconds of one time, the median of the rounds.
const fs = require("fs");
const jsonata = require("jsonata");

const [expression, input, output, seconds, rounds] = process.argv.slice(2);
const text = fs.readFileSync(input, "utf8");
const compiled = jsonata(fs.readFileSync(expression, "utf8"));
const once = async () => JSON.stringify(await compiled.evaluate(JSON.parse(text)));
const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };

(async () => {
  fs.writeFileSync(output, await once());
  const taken = [];
  for (let round = 0; round <= rounds; round++) {
    const begun = cpu();
    let times = 0;
    do { await once(); times++; } while (cpu() - begun < seconds);
    if (round > 0) taken.push((cpu() - begun) / times);
  }
  taken.sort((a, b) => a - b);
  console.log(taken[taken.length >> 1]);
})();
