"""Something of everything that a backup of the MySQL family may forget, and how it is seen."""

from __future__ import annotations

from collections.abc import Sequence

from argosy.testing.clients import Tenant

STOCK = (
    "CREATE DATABASE `o'dd `` näme`",
    "CREATE TABLE `o'dd `` näme`.`tä/ble #1` (a INT PRIMARY KEY, b BLOB)",
    "INSERT INTO `o'dd `` näme`.`tä/ble #1` VALUES (1, X'00FF27'), (2, NULL)",
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE shop.aria (a INT PRIMARY KEY) ENGINE=Aria",
    "INSERT INTO shop.aria VALUES (1), (2), (3)",
    "CREATE TABLE shop.isam (a INT PRIMARY KEY) ENGINE=MyISAM",
    "INSERT INTO shop.isam VALUES (1), (2)",
    "CREATE TABLE shop.compressed (a INT PRIMARY KEY, b TEXT) ROW_FORMAT=COMPRESSED",
    "INSERT INTO shop.compressed SELECT seq, REPEAT('x', 5000) FROM seq_1_to_200",
    "CREATE TABLE shop.pages (a INT PRIMARY KEY, b TEXT) PAGE_COMPRESSED=1",
    "INSERT INTO shop.pages SELECT seq, REPEAT('y', 500) FROM seq_1_to_2000",
    "CREATE TABLE shop.parts (a INT PRIMARY KEY) PARTITION BY HASH (a) PARTITIONS 3",
    "INSERT INTO shop.parts SELECT seq FROM seq_1_to_50",
    "CREATE TABLE shop.versions (a INT) WITH SYSTEM VERSIONING",
    "INSERT INTO shop.versions VALUES (1)",
    "UPDATE shop.versions SET a = 2",
    "CREATE TABLE shop.parent (a INT PRIMARY KEY)",
    "INSERT INTO shop.parent VALUES (1)",
    "CREATE TABLE shop.child (a INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES shop.parent (a))",
    "INSERT INTO shop.child VALUES (1, 1)",
    "CREATE TABLE shop.measured (a INT PRIMARY KEY, f FLOAT, g DOUBLE)",
    "INSERT INTO shop.measured VALUES (1, 8388608.5, 0.1), (2, 1e30, 1/3)",
    "CREATE SEQUENCE shop.numbers START WITH 7",
    "CREATE VIEW shop.seen AS SELECT a FROM shop.aria",
    "CREATE TRIGGER counted BEFORE INSERT ON isam FOR EACH ROW SET NEW.a = NEW.a + 0",
    "CREATE PROCEDURE shop.work() SELECT 'done'",
    "CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "CREATE USER alice@'%' IDENTIFIED BY 'wonder'",
    "GRANT SELECT ON shop.* TO alice@'%'",
)

SEEN = (
    "SELECT * FROM `o'dd `` näme`.`tä/ble #1` ORDER BY 1",
    "SELECT * FROM shop.aria ORDER BY 1",
    "SELECT * FROM shop.isam ORDER BY 1",
    "SELECT a, SHA1(b) FROM shop.compressed ORDER BY 1",
    "SELECT a, SHA1(b) FROM shop.pages ORDER BY 1",
    "SELECT * FROM shop.parts ORDER BY 1",
    "SELECT a FROM shop.versions FOR SYSTEM_TIME ALL ORDER BY 1",
    "SELECT start_value, increment FROM shop.numbers",
    "SELECT * FROM shop.seen ORDER BY 1",
    "CALL shop.work()",
    "SELECT TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS ORDER BY 1",
    "SELECT EVENT_NAME, EVENT_DEFINITION FROM information_schema.EVENTS ORDER BY 1",
    "SHOW GRANTS FOR alice@'%'",
)


def sight(tenant: Tenant, seen: Sequence[str] = SEEN) -> list[object]:
    return [tenant.run(statement) for statement in seen]
