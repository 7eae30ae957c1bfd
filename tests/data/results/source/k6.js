import http from "k6/http";
import { check } from "k6";
import { Counter, Gauge, Rate, Trend } from "k6/metrics";

export const options = { vus: 2, iterations: 30, thresholds: { http_req_duration: ["p(95)<5000"] } };

const items = new Counter("items");
const size = new Gauge("size");
const good = new Rate("good");
const parse = new Trend("parse", true);
const length = new Trend("length");

export default function () {
    const answer = http.get(`${__ENV.BASE}/`);
    check(answer, { fine: (r) => r.status === 200 });
    items.add(3);
    size.add(17);
    good.add(answer.status === 200);
    parse.add(answer.timings.duration / 2);
    length.add(answer.body.length);
}

export function handleSummary(data) {
    return __ENV.EXPORT ? {} : { "summary.json": JSON.stringify(data) };
}
