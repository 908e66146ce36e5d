// A shop's database: what is asked of it, in order. The answers are folded into the checksum; each has an
// order that no plan of the query can change, and sums that floating point holds exactly.
#pragma once

namespace statements {

constexpr char kSchema[] = R"sql(
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL, credit INTEGER NOT NULL);
CREATE TABLE orders(
  id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers(id), article TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK(quantity > 0), cents INTEGER NOT NULL, day INTEGER NOT NULL, note TEXT);
CREATE TABLE removed(id INTEGER PRIMARY KEY, worth INTEGER NOT NULL);
CREATE TRIGGER remember AFTER DELETE ON orders BEGIN
  INSERT INTO removed VALUES(old.id, old.quantity * old.cents);
END;
)sql";

constexpr char kInsertCustomer[] = "INSERT INTO customers VALUES(?1, ?2, ?3, 0)";
constexpr char kInsertOrder[] = "INSERT INTO orders VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";

constexpr char kIndexes[] = R"sql(
CREATE INDEX orders_of_customer ON orders(customer, day);
CREATE INDEX orders_of_article ON orders(article, cents);
CREATE UNIQUE INDEX customers_by_city ON customers(city, name, id);
ANALYZE;
)sql";

// Asked again and again with another customer.
constexpr char kOrdersOfCustomer[] =
    "SELECT day, article, quantity * cents FROM orders WHERE customer = ?1 ORDER BY day DESC, id LIMIT 3";

constexpr char kQueries[] = R"sql(
-- joins and aggregates
SELECT c.city, count(*), sum(o.quantity * o.cents), avg(o.cents), max(o.day)
  FROM orders AS o JOIN customers AS c ON c.id = o.customer GROUP BY c.city ORDER BY c.city;
SELECT article, count(DISTINCT customer) AS buyers, min(cents), total(quantity * 0.25)
  FROM orders GROUP BY article HAVING buyers > 1 ORDER BY buyers DESC, article LIMIT 40;
SELECT a.city, b.city, count(*)
  FROM orders AS o JOIN orders AS p ON p.article = o.article AND p.cents = o.cents AND p.id > o.id
  JOIN customers AS a ON a.id = o.customer JOIN customers AS b ON b.id = p.customer
  GROUP BY a.city, b.city ORDER BY a.city, b.city;

-- a window over each customer's orders; a sort without an index
SELECT customer, id, sum(quantity * cents) OVER (PARTITION BY customer ORDER BY day, id)
  FROM orders WHERE customer % 8 = 0 ORDER BY customer, day, id;
SELECT id, quantity * cents AS worth FROM orders ORDER BY worth DESC, id LIMIT 100;

-- text, and numbers as text
SELECT id, upper(substr(note, 2, 12)), length(note), printf('%.2f', cents / 4.0)
  FROM orders WHERE note LIKE '%ab%' ORDER BY id;
SELECT substr(name, 1, 1) AS initial, count(*), min(name), max(replace(name, 'a', 'aa'))
  FROM customers GROUP BY initial ORDER BY initial;

-- weeks, also those without an order; a set without another
WITH RECURSIVE weeks(week) AS (SELECT 0 UNION ALL SELECT week + 1 FROM weeks WHERE week < 60)
  SELECT week, count, cents FROM weeks
  LEFT JOIN (SELECT day / 7 AS number, count(*) AS count, sum(cents) AS cents FROM orders GROUP BY number)
  ON number = week ORDER BY week;
SELECT id FROM customers
  WHERE NOT EXISTS (SELECT 1 FROM orders WHERE customer = customers.id AND day > 330)
  EXCEPT SELECT customer FROM orders WHERE quantity > 7 ORDER BY 1;

-- changes
UPDATE orders SET cents = cents * 9 / 10, note = note || '!'
  WHERE customer IN (SELECT id FROM customers WHERE city < 'c');
UPDATE customers
  SET credit = (SELECT coalesce(sum(quantity * cents), 0) FROM orders WHERE customer = customers.id);
INSERT INTO customers SELECT id, name, city, 1 FROM customers WHERE id % 3 = 0
  ON CONFLICT(id) DO UPDATE SET credit = credit / 2 + excluded.credit;
SELECT city, sum(credit), max(credit) FROM customers GROUP BY city ORDER BY city;

-- what is rolled back leaves no trace
BEGIN;
DELETE FROM orders WHERE id % 3 = 0;
SELECT count(*), sum(worth) FROM removed;
ROLLBACK;
SELECT count(*), sum(cents) FROM orders;
SELECT count(*), coalesce(sum(worth), 0) FROM removed;

-- what is deleted goes through the trigger
DELETE FROM orders WHERE day < 90 AND quantity < 4;
SELECT count(*), sum(worth), min(id), max(id) FROM removed;
SELECT count(*), sum(quantity), sum(cents), sum(length(note)) FROM orders;
PRAGMA integrity_check;
)sql";

}  // namespace statements
