// A database in memory: workloads/sqlite/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <sqlite3.h>
#include <string.h>

#include "workloads/sqlite/statements.h"

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr uint32_t kOrdersPerUnit = 100;
constexpr uint32_t kCustomersPerUnit = 10;
constexpr const char* kCities[] = {"aachen", "bern", "delft", "espoo", "ghent", "lund", "porto", "turku"};

class Statement {
 public:
  // `rest` becomes what follows the statement in the text.
  Statement(sqlite3* database, const char* text, const char** rest = nullptr) {
    is_valid_ = sqlite3_prepare_v2(database, text, -1, &statement_, rest) == SQLITE_OK;
  }
  ~Statement() { sqlite3_finalize(statement_); }

  bool is_valid() const { return is_valid_; }
  void bind(int parameter, uint32_t number) { sqlite3_bind_int64(statement_, parameter, number); }
  void bind_null(int parameter) { sqlite3_bind_null(statement_, parameter); }
  void bind(int parameter, const char* text, uint32_t letters) {
    sqlite3_bind_text(statement_, parameter, text, static_cast<int>(letters), SQLITE_TRANSIENT);
  }

  // All rows. The statement, which may be an empty one, can then be asked again.
  bool ask(Checksum& checksum) {
    if (!statement_) return is_valid_;
    int step;
    while ((step = sqlite3_step(statement_)) == SQLITE_ROW) {
      for (int column = 0; column < sqlite3_data_count(statement_); column++) add(column, checksum);
    }
    return step == SQLITE_DONE && sqlite3_reset(statement_) == SQLITE_OK;
  }

 private:
  void add(int column, Checksum& checksum) {
    switch (sqlite3_column_type(statement_, column)) {
      case SQLITE_INTEGER:
        return checksum.add(static_cast<uint64_t>(sqlite3_column_int64(statement_, column)));
      case SQLITE_FLOAT:
        return checksum.add(__builtin_bit_cast(uint64_t, sqlite3_column_double(statement_, column)));
      case SQLITE_NULL: return checksum.add(~uint64_t{0});
      default: break;
    }
    const void* text = sqlite3_column_text(statement_, column);
    checksum.add_bytes(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
  }

  sqlite3_stmt* statement_ = nullptr;
  bool is_valid_;
};

// Every function returns whether it worked; the answers go into the checksum.
class Shop {
 public:
  explicit Shop(uint32_t units) : customers_(units * kCustomersPerUnit), orders_(units * kOrdersPerUnit) {
    sqlite3_open(":memory:", &database_);
  }
  ~Shop() { is_closed(); }

  bool trade() {
    return ask(statements::kSchema) && ask("BEGIN") && insert_customers() && insert_orders() &&
           ask("COMMIT") && ask(statements::kIndexes) && ask_for_customers() && ask(statements::kQueries);
  }
  uint64_t answers() const { return checksum_.value(); }

  // Fails when a statement was forgotten.
  bool is_closed() {
    bool is_closed = sqlite3_close(database_) == SQLITE_OK;
    database_ = nullptr;
    return is_closed;
  }

 private:
  bool ask(const char* text) {
    while (*text) {
      Statement statement(database_, text, &text);
      if (!statement.ask(checksum_)) return false;
    }
    return true;
  }

  bool insert_customers() {
    Statement insert(database_, statements::kInsertCustomer);
    for (uint32_t id = 1; id <= customers_; id++) {
      insert.bind(1, id);
      bind_word(insert, 2, 4 + random_.below(8));
      const char* city = kCities[random_.below(8)];
      insert.bind(3, city, static_cast<uint32_t>(strlen(city)));
      if (!insert.ask(checksum_)) return false;
    }
    return insert.is_valid();
  }

  bool insert_orders() {
    Statement insert(database_, statements::kInsertOrder);
    for (uint32_t id = 1; id <= orders_; id++) {
      insert.bind(1, id);
      insert.bind(2, 1 + random_.below(customers_));
      bind_word(insert, 3, 1 + random_.below(2));
      insert.bind(4, 1 + random_.below(9));
      insert.bind(5, 100 + random_.below(5000));
      insert.bind(6, random_.below(365));
      if (random_.below(4) == 0) {
        insert.bind_null(7);
      } else {
        bind_word(insert, 7, 8 + random_.below(32));
      }
      if (!insert.ask(checksum_)) return false;
    }
    return insert.is_valid();
  }

  void bind_word(Statement& statement, int parameter, uint32_t letters) {
    char word[40];
    for (uint32_t i = 0; i < letters; i++) word[i] = static_cast<char>('a' + random_.below(26));
    statement.bind(parameter, word, letters);
  }

  bool ask_for_customers() {
    Statement query(database_, statements::kOrdersOfCustomer);
    for (uint32_t i = 0; i < customers_; i++) {
      query.bind(1, 1 + random_.below(customers_));
      if (!query.ask(checksum_)) return false;
    }
    return query.is_valid();
  }

  uint32_t customers_, orders_;
  sqlite3* database_ = nullptr;
  Random random_{1};
  Checksum checksum_;
};

uint64_t trade(uint32_t units) {
  Shop shop(units);
  return shop.trade() && shop.is_closed() ? shop.answers() : 0;
}

// What SQLite asks of an operating system: no files, no time, and randomness that is always the same.
int open_nothing(sqlite3_vfs*, const char*, sqlite3_file*, int, int*) { return SQLITE_CANTOPEN; }
int make_randomness(sqlite3_vfs*, int bytes, char* out) {
  memset(out, 42, static_cast<size_t>(bytes));
  return bytes;
}
int stop_the_clock(sqlite3_vfs*, double* julian_day) {
  *julian_day = 2460000.5;
  return SQLITE_OK;
}
sqlite3_vfs nothing = {
    .iVersion = 1,
    .szOsFile = sizeof(sqlite3_file),
    .mxPathname = 16,
    .zName = "nothing",
    .xOpen = open_nothing,
    .xRandomness = make_randomness,
    .xCurrentTime = stop_the_clock,
};

}  // namespace

extern "C" int sqlite3_os_init() { return sqlite3_vfs_register(&nothing, 1); }
extern "C" int sqlite3_os_end() { return SQLITE_OK; }

extern "C" uint64_t run(uint64_t units) {
  if (sqlite3_initialize() != SQLITE_OK) return 0;
  uint64_t result = trade(static_cast<uint32_t>(units));
  return sqlite3_shutdown() == SQLITE_OK ? result : 0;
}
SANDGLASS_EXPORT(run)
