//! The smallest coins and notes of currencies: what sums that are paid in cash are rounded to. ISO 4217 does not say; each row has
//! the law or the issuer that does.

/// The smallest coin or note that people pay with, in the currency's smallest unit (ISO 4217, minor unit).
pub(super) const SMALLEST_COINS: &[(&str, i64)] = &[
    // Central Bank of Armenia: no coin below 10 dram
    ("AMD", 1_000),
    // Reserve Bank of Australia: 1 and 2 cents withdrawn from 1992
    ("AUD", 5),
    // Bank of Botswana: 1 and 2 thebe withdrawn in 1991
    ("BWP", 5),
    // Royal Canadian Mint: the cent is no longer distributed since 4 February 2013
    ("CAD", 5),
    // Federal Act on Currency and Payment Instruments (SR 941.10): 1 Rappen withdrawn in 2007
    ("CHF", 5),
    // Ley 21.054: 1 and 5 pesos withdrawn from 1 November 2017
    ("CLP", 10),
    // Banco de la República: no coin below 50 pesos
    ("COP", 5_000),
    // Banco Central de Costa Rica: no coin below 5 colones
    ("CRC", 500),
    // Czech National Bank: 50 haléřů withdrawn on 31 August 2008
    ("CZK", 100),
    // Danmarks Nationalbank: 25 øre withdrawn on 1 October 2008
    ("DKK", 50),
    // 1 and 2 cents are legal tender; Belgium, Estonia, Finland, Ireland, Italy, Lithuania, the Netherlands and Slovakia round to 5
    ("EUR", 5),
    // Hong Kong Monetary Authority: 5 cents withdrawn in 1989
    ("HKD", 10),
    // 2008. évi III. törvény: 1 and 2 forint withdrawn on 1 March 2008
    ("HUF", 500),
    // Bank Indonesia: coins of 100 rupiah and more are in use
    ("IDR", 10_000),
    // Bank of Israel: 5 agorot withdrawn on 1 January 2008
    ("ILS", 10),
    // Central Bank of Iraq: no coins, and no note below 250 dinars
    ("IQD", 250_000),
    // Bank of Japan: 1 yen
    ("JPY", 1),
    // National Bank of Cambodia: no note below 50 riel; sums are rounded to 100
    ("KHR", 10_000),
    // Bank of Korea: 1 and 5 won are not issued for circulation
    ("KRW", 10),
    // Bank of the Lao PDR: no note below 500 kip is in use
    ("LAK", 50_000),
    // Bank Negara Malaysia: 1 sen is not issued since 1 April 2008
    ("MYR", 5),
    // Norges Bank: 50 øre withdrawn on 1 May 2012
    ("NOK", 100),
    // Reserve Bank of New Zealand: 5 cents withdrawn on 1 November 2006
    ("NZD", 10),
    // Banco Central del Paraguay: no coin below 50 guaraníes
    ("PYG", 50),
    // Sveriges Riksbank: 50 öre withdrawn on 30 September 2010
    ("SEK", 100),
    // Monetary Authority of Singapore: 1 cent is not issued since 2002
    ("SGD", 5),
    // Bank of Thailand: 25 satang
    ("THB", 25),
    // Bank of Tanzania: no coin below 50 shillings
    ("TZS", 5_000),
    // National Bank of Ukraine: 10 kopiykas withdrawn on 1 October 2025
    ("UAH", 50),
    // Bank of Uganda: no coin below 50 shillings is in use
    ("UGX", 50),
    // State Bank of Vietnam: no note below 500 dong is in use
    ("VND", 500),
    // Institut d'émission d'outre-mer: 1 and 2 francs withdrawn in 2022
    ("XPF", 5),
    // South African Reserve Bank: 5 cents are not minted since 2012
    ("ZAR", 10),
];

/// What a currency that is not listed is rounded to, in its smallest unit.
pub(super) const UNLISTED: i64 = 100;

/// The smallest coin of a currency, in its smallest unit; `None` where the table has none.
pub(super) fn smallest_coin(code: &str) -> Option<i64> {
    SMALLEST_COINS.iter().find(|(listed, _)| *listed == code).map(|(_, units)| *units)
}
