-- tariffs.sql: the tariffs of the demo estate; a writer drafts them, another person approves
SELECT elecbill.org_create('garden', '花园小区物业 Garden Estate', 'Asia/Shanghai', 'CNY');

CREATE TEMP TABLE demo_tariff (code text, definition jsonb);
INSERT INTO demo_tariff VALUES
-- the first seed's three tiers
('SEED-TIER', '{"elecbill": 1, "code": "SEED-TIER", "name": {"zh": "三档阶梯电价", "en": "three tiers"},
  "currency": "CNY", "zone": "Asia/Shanghai", "components": [
   {"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"},
    "tier": {"mode": "graduated", "scope": "bill",
     "steps": [{"up_to": 200, "price": 0.5}, {"up_to": 400, "price": 0.6}, {"price": 0.8}]}}]}'),
-- the first seed's peak and valley
('SEED-TOU', '{"elecbill": 1, "code": "SEED-TOU", "name": {"zh": "峰谷电价", "en": "peak and valley"},
  "currency": "CNY", "zone": "Asia/Shanghai",
  "schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley", "spans": [["22:00", "08:00"]]}]},
  "components": [
   {"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"},
    "price": {"period": {"peak": 0.7, "valley": 0.4}}}]}'),
-- residential, periods first, then tiers of the year; a household of five or more has 100 kWh a month more
('ZJ-HOME', '{"elecbill": 1, "code": "ZJ-HOME", "name": {"zh": "居民峰谷阶梯", "en": "residential, periods and yearly tiers"},
  "currency": "CNY", "zone": "Asia/Shanghai",
  "schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley"}]},
  "components": [
   {"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"},
    "price": {"period": {"peak": 0.568, "valley": 0.288}},
    "tier": {"mode": "adder", "scope": "year",
     "allowance": [{"attr": "persons", "at_least": 5, "add": 100, "per": "month"}],
     "steps": [{"up_to": 2760, "price": 0}, {"up_to": 4800, "price": 0.05}, {"price": 0.3}]}}]}'),
-- a shop: five prices of the day, a fixed charge by the day, a surcharge on both
('SHOP', '{"elecbill": 1, "code": "SHOP", "name": {"zh": "商铺分时电价", "en": "shop"},
  "currency": "CNY", "zone": "Asia/Shanghai",
  "schedules": {"tou": [
   {"period": "sharp", "spans": [["19:00", "21:00"]], "days": ["weekday"]},
   {"period": "peak", "spans": [["08:30", "11:30"], ["16:00", "22:00"]]},
   {"period": "flat", "spans": [["06:30", "24:00"]]},
   {"period": "valley"}]},
  "components": [
   {"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"},
    "price": {"period": {"sharp": 1.2093, "peak": 1.0078, "flat": 0.6299, "valley": 0.3023}}},
   {"code": "service", "kind": "fixed", "per": "day", "price": 0.6, "name": {"zh": "公共服务费", "en": "service"}},
   {"code": "surcharge", "kind": "percent", "percent": 2.5, "name": {"zh": "附加费", "en": "surcharge"}}]}'),
-- a charging pile: energy by period and a service fee for each kWh
('PILE', '{"elecbill": 1, "code": "PILE", "name": {"zh": "充电桩电价", "en": "charging pile"},
  "currency": "CNY", "zone": "Asia/Shanghai",
  "schedules": {"tou": [
   {"period": "peak", "spans": [["10:00", "15:00"], ["18:00", "21:00"]]},
   {"period": "flat", "spans": [["07:00", "10:00"], ["15:00", "18:00"], ["21:00", "23:00"]]},
   {"period": "valley", "spans": [["23:00", "07:00"]]}]},
  "components": [
   {"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"},
    "price": {"period": {"peak": 1, "flat": 0.7, "valley": 0.4}}},
   {"code": "service", "kind": "energy", "price": 0.8, "name": {"zh": "充电服务费", "en": "service fee"}}]}');

SELECT elecbill.tariff_approve('garden/' || code,
	elecbill.tariff_draft('garden/' || code, daterange(:'opened', NULL), definition, 'writer'), 'checker')
FROM demo_tariff;
