set role practice;

create table customers (
    id int primary key,
    name text not null,
    email text not null,
    country char(2) not null,
    credit_limit numeric(12, 2) not null,
    tags text[] not null default '{}',
    since date not null
);

insert into customers
select n,
       (array['Abel', 'Brook', 'Castor', 'Dale', 'Ember', 'Fjord', 'Gale', 'Haven'])[1 + n % 8] || ' '
           || (array['Foods', 'Machines', 'Textiles', 'Paper', 'Optics'])[1 + n % 5],
       'orders-' || n || '@customer.example',
       (array['DE', 'FR', 'IT', 'NL', 'PL'])[1 + n % 5],
       (1000 + n * 250)::numeric(12, 2),
       case when n % 3 = 0 then array['priority', 'export'] else '{}' end,
       date '2020-01-01' + n * 17
from generate_series(1, 40) as n;

create table orders (
    id bigint primary key,
    customer_id int not null references customers,
    placed_at timestamptz not null,
    status text not null check (status in ('open', 'sent', 'paid')),
    total numeric(12, 2) not null,
    lines jsonb not null
);

create index orders_by_day on orders (placed_at);

insert into orders
select n,
       1 + n % 40,
       timestamptz '2026-11-01 06:00:00+00' + n * interval '47 minutes',
       (array['open', 'sent', 'paid'])[1 + n % 3],
       (n % 90 + 1) * 12.35,
       jsonb_build_array(jsonb_build_object('sku', 'A-' || (100 + n % 25), 'quantity', n % 90 + 1, 'price', 12.35))
from generate_series(1, 1000) as n;

