//! The smallest coins and notes of currencies, to which cash sums are rounded. ISO 4217 does not
//! define them; each row names the law or the issuer that does.

/// The smallest coin or note in circulation, in the currency's smallest unit (ISO 4217, minor
/// unit).
pub(super) const SMALLEST_COINS: &[(&str, i64)] = &[
    // Central Bank of the UAE: 25 fils
    ("AED", 25),
    // Central Bank of Armenia: no coin below 10 dram
    ("AMD", 1_000),
    // Reserve Bank of Australia: 1 and 2 cents withdrawn from 1992
    ("AUD", 5),
    // Central Bank of Bosnia and Herzegovina: 5 feninga
    ("BAM", 5),
    // Bulgarian National Bank: 1 stotinka, until the euro
    ("BGN", 1),
    // Central Bank of Bahrain: 5 fils
    ("BHD", 5),
    // Banco Central do Brasil: 1 centavo is not minted since 2004
    ("BRL", 5),
    // Bank of Botswana: 1 and 2 thebe withdrawn in 1991
    ("BWP", 5),
    // Royal Canadian Mint: the cent is no longer distributed since 4 February 2013
    ("CAD", 5),
    // Federal Act on Currency and Payment Instruments (SR 941.10): 1 Rappen withdrawn in 2007
    ("CHF", 5),
    // Ley 21.054: 1 and 5 pesos withdrawn from 1 November 2017
    ("CLP", 10),
    // People's Bank of China: 1 fen is legal tender
    ("CNY", 1),
    // Banco de la República: no coin below 50 pesos
    ("COP", 5_000),
    // Banco Central de Costa Rica: no coin below 5 colones
    ("CRC", 500),
    // Czech National Bank: 50 haléřů withdrawn on 31 August 2008
    ("CZK", 100),
    // Danmarks Nationalbank: 25 øre withdrawn on 1 October 2008
    ("DKK", 50),
    // 1 and 2 cents are legal tender; Belgium, Estonia, Finland, Ireland, Italy, Lithuania, the
    // Netherlands and Slovakia round to 5
    ("EUR", 5),
    // Royal Mint: 1 penny
    ("GBP", 1),
    // National Bank of Georgia: 1 and 2 tetri withdrawn on 31 December 2020
    ("GEL", 5),
    // Hong Kong Monetary Authority: 5 cents withdrawn in 1989
    ("HKD", 10),
    // 2008. évi III. törvény: 1 and 2 forint withdrawn on 1 March 2008
    ("HUF", 500),
    // Bank Indonesia: coins of 100 rupiah and more are in use
    ("IDR", 10_000),
    // Bank of Israel: 5 agorot withdrawn on 1 January 2008
    ("ILS", 10),
    // Reserve Bank of India: 25 paise and less withdrawn on 30 June 2011
    ("INR", 50),
    // Central Bank of Iraq: no coins, and no note below 250 dinars
    ("IQD", 250_000),
    // Central Bank of Iceland: aurar withdrawn on 1 October 2003
    ("ISK", 1),
    // Bank of Japan: 1 yen
    ("JPY", 1),
    // National Bank of Cambodia: no note below 50 riel; sums are rounded to 100
    ("KHR", 10_000),
    // Bank of Korea: 1 and 5 won are not issued for circulation
    ("KRW", 10),
    // Central Bank of Kuwait: 5 fils
    ("KWD", 5),
    // Bank of the Lao PDR: no note below 500 kip is in use
    ("LAK", 50_000),
    // National Bank of Moldova: 1 ban is legal tender
    ("MDL", 1),
    // National Bank of the Republic of North Macedonia: 1 denar
    ("MKD", 100),
    // Banco de México: 5 centavos
    ("MXN", 5),
    // Bank Negara Malaysia: 1 sen is not issued since 1 April 2008
    ("MYR", 5),
    // Norges Bank: 50 øre withdrawn on 1 May 2012
    ("NOK", 100),
    // Reserve Bank of New Zealand: 5 cents withdrawn on 1 November 2006
    ("NZD", 10),
    // Central Bank of Oman: 5 baisa
    ("OMR", 5),
    // Bangko Sentral ng Pilipinas: 1 sentimo
    ("PHP", 1),
    // Narodowy Bank Polski: 1 grosz
    ("PLN", 1),
    // Banco Central del Paraguay: no coin below 50 guaraníes
    ("PYG", 50),
    // Banca Națională a României: 1 ban
    ("RON", 1),
    // National Bank of Serbia: 1 dinar
    ("RSD", 100),
    // Saudi Central Bank: 1 halala
    ("SAR", 1),
    // Sveriges Riksbank: 50 öre withdrawn on 30 September 2010
    ("SEK", 100),
    // Monetary Authority of Singapore: 1 cent is not issued since 2002
    ("SGD", 5),
    // Bank of Thailand: 25 satang
    ("THB", 25),
    // Central Bank of the Republic of Türkiye: 1 kuruş is legal tender
    ("TRY", 1),
    // Central Bank of the Republic of China: 1 dollar is the smallest coin in circulation
    ("TWD", 100),
    // Bank of Tanzania: no coin below 50 shillings
    ("TZS", 5_000),
    // National Bank of Ukraine: 10 kopiykas withdrawn on 1 October 2025
    ("UAH", 50),
    // Bank of Uganda: no coin below 50 shillings is in use
    ("UGX", 50),
    // United States Mint: 1 cent is legal tender, and is not minted for circulation since 12
    // November 2025
    ("USD", 5),
    // State Bank of Vietnam: no note below 500 dong is in use
    ("VND", 500),
    // Institut d'émission d'outre-mer: 1 and 2 francs withdrawn in 2022
    ("XPF", 5),
    // South African Reserve Bank: 5 cents are not minted since 2012
    ("ZAR", 10),
];

/// The smallest coin of a currency that is not listed: its smallest unit. A larger guess would let
/// a discount pass as a rounding, which requires no right.
pub(super) const DEFAULT_SMALLEST_COIN: i64 = 1;

/// The smallest coin of a currency, in its smallest unit; `None` if the table does not list it.
pub(super) fn smallest_coin(code: &str) -> Option<i64> {
    SMALLEST_COINS.iter().find(|(listed, _)| *listed == code).map(|(_, units)| *units)
}
